"""Fixtures for pytest, found by themselves once bundlevisor is installed.

``bundlevisor_bundle`` is an empty bundle in the test's folder, ``bundlevisor_runtime`` starts one
and, at the end of the test, stops it and checks the two laws. The story of a test that failed, in
its setup or by the laws as well, stands in its report. ``@pytest.mark.bundlevisor_fault`` marks
tests that break things, to pick by ``-m``.
Nothing of the kit is imported before a test asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from bundlevisor.testing.bundle import Bundle
    from bundlevisor.testing.runtime import Runtime

    Starter = Callable[..., Runtime]

RUNS = pytest.StashKey[list["Runtime"]]()
ENDED_WELL = pytest.StashKey[bool]()
"""What pytest has reported of the test itself; Ctrl-C has no report."""


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark."""
    config.addinivalue_line("markers", "bundlevisor_fault: breaks what the runtime stands on")


@pytest.fixture
def bundlevisor_bundle(tmp_path: Path) -> Bundle:
    """An empty bundle in the test's folder."""
    from bundlevisor.testing.bundle import Bundle

    return Bundle(tmp_path)


@pytest.fixture
def bundlevisor_runtime(request: pytest.FixtureRequest) -> Iterator[Starter]:
    """Starts a bundle: ``runtime = bundlevisor_runtime(bundle)``, with a Runtime's arguments."""
    from bundlevisor.testing.runtime import Runtime

    runs: list[Runtime] = []
    request.node.stash[RUNS] = runs
    request.node.stash[ENDED_WELL] = False  # or it is what a first try of this test has left

    def start(bundle: Bundle, *flags: str, **options: Any) -> Runtime:
        runs.append(run := Runtime(bundle, *flags, **options))
        run.start()
        return run

    try:
        yield start
        well = request.node.stash[ENDED_WELL]
        ended = [run for run in runs if well and run.has_begun]
        for run in reversed(ended):  # those of one bundle share its ports: the laws come last
            run.stop_in_order()
        for run in ended:
            run.assert_nothing_left()
    finally:
        for run in runs:
            run.kill_everything()


@pytest.hookimpl(hookwrapper=True)  # "wrapper" would end the pytest of whoever has an older pluggy
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    """Add the story of every run to the report of a failed test."""
    report = (yield).get_result()
    if report.when == "call" or report.skipped:
        item.stash[ENDED_WELL] = not report.failed and not is_expected_failure(report)
    if report.failed:
        runs = item.stash.get(RUNS, [])
        for run in runs:
            which = f" of {run.app_data}" if len(runs) > 1 else ""
            report.sections.append((f"what happened in the runtime{which}", run.story()))
    if report.when == "teardown":
        item.stash[RUNS] = []  # with a run its bundle, and the bundle's ports, are let go


def is_expected_failure(report: pytest.TestReport) -> bool:
    """Whether the test failed as ``xfail`` says; one that passes all the same has the word, too."""
    return report.skipped and hasattr(report, "wasxfail")
