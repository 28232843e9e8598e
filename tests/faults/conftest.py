"""The table of the fault suite is printed at the end of the test run."""

from __future__ import annotations

import os

import pytest

from tests.faults.tally import Tally

TALLY = pytest.StashKey[Tally]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[TALLY] = Tally()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.name == "nt":
        for item in items:
            if "faults" in item.path.parts:
                item.add_marker(pytest.mark.skip(reason="faults are injected by POSIX signals"))


@pytest.fixture(scope="session")
def tally(pytestconfig: pytest.Config) -> Tally:
    return pytestconfig.stash.setdefault(TALLY, Tally())


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    lines = list(config.stash.setdefault(TALLY, Tally()).lines())
    if lines:
        terminalreporter.section("faults")
        for line in lines:
            terminalreporter.line(line)
