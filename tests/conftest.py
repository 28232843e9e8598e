"""What every test run does: it says what it skipped, demands what it is told to, and has a seed.

With ``BUNDLEVISOR_DEMAND`` in the environment a skipped test fails the run: ``everything`` demands
all, ``possible`` all but what needs something that this machine has not (:mod:`tests.absent`).
Faults come at random moments; ``BUNDLEVISOR_SEED`` repeats those of an earlier run.
"""

from __future__ import annotations

import gc
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests import without_root
from tests.absent import is_tolerated
from tests.browser import chromium

SEED = "BUNDLEVISOR_SEED"
ENOUGH_FILES = 1024
"""What Linux allows unasked: more would hide what goes wrong there."""
SKIPS = pytest.StashKey[Counter[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Draw the seed once: the processes of pytest-xdist inherit it. No example is too slow."""
    settings.register_profile("ours", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("ours")
    os.environ.setdefault(SEED, str(random.SystemRandom().randrange(10**9)))
    config.stash[SKIPS] = Counter()
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell's background job has it
        signal.signal(signal.SIGINT, signal.default_int_handler)  # what tests start is interrupted
    _allow_descriptors()


def _allow_descriptors() -> None:
    """Hundreds of clients are this process's; macOS allows 256 files unasked."""
    if sys.platform != "win32":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        enough = ENOUGH_FILES if hard == resource.RLIM_INFINITY else min(ENOUGH_FILES, hard)
        if soft != resource.RLIM_INFINITY and soft < enough:
            resource.setrlimit(resource.RLIMIT_NOFILE, (enough, hard))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Make the thousands of tests without looking for garbage among them, now and later."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture
def dice(request: pytest.FixtureRequest) -> random.Random:
    """What random faults are drawn from: by the seed of the run and the name of the test."""
    seed = os.environ[SEED]
    print(f"{SEED}={seed} repeats these faults")  # shown with a failure
    return random.Random(f"{seed}/{request.node.nodeid}")


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The browser of this process; :func:`tests.browser.fresh_tab` gives each test its own tab."""
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test of permissions where they hold."""
    if pyfuncitem.get_closest_marker("permissions") and without_root.is_needed():
        without_root.run(pyfuncitem.nodeid)
        return True
    return None


def pytest_report_header() -> str:
    """Say the seed where the run begins."""
    return f"random faults: {SEED}={os.environ[SEED]}"


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail the run for what was skipped and is demanded."""
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if terminal is None:  # one of several processes of pytest-xdist: the first of them judges
        return
    skips = Counter(reason(report) for report in terminal.stats.get("skipped", ()))
    refused = sorted(why for why in skips if not is_tolerated(why))
    if refused and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    session.config.stash[SKIPS] = Counter({why: skips[why] for why in refused})


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Write why tests were skipped, with their number, beside the interpreter that ran them."""
    reasons = Counter(reason(report) for report in terminalreporter.stats.get("skipped", ()))
    lines = [f"{count} tests: {why}\n" for why, count in sorted(reasons.items())]
    for why, count in config.stash[SKIPS].items():
        terminalreporter.line(f"FAILED: {count} tests were demanded and skipped: {why}", red=True)
    if without_root.INSIDE not in os.environ:  # a run within a run has no summary of its own
        (Path(sys.prefix) / "skipped").write_text("".join(lines), encoding="utf-8")


def reason(report: pytest.TestReport) -> str:
    """Return the words behind a skip: ``(path, line, "Skipped: reason")``."""
    why = report.longrepr
    words = why[2] if isinstance(why, tuple) else str(why)
    return words.removeprefix("Skipped: ")
