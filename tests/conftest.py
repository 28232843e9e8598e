"""What every test run does: it leaves the reasons of what it skipped, for the last summary."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write why tests were skipped, with their number, beside the interpreter that ran them."""
    reasons = Counter(reason(report) for report in terminalreporter.stats.get("skipped", ()))
    lines = [f"{count} tests: {why}\n" for why, count in sorted(reasons.items())]
    (Path(sys.prefix) / "skipped").write_text("".join(lines), encoding="utf-8")


def reason(report: pytest.TestReport) -> str:
    """Return the words behind a skip: ``(path, line, "Skipped: reason")``."""
    why = report.longrepr
    words = why[2] if isinstance(why, tuple) else str(why)
    return words.removeprefix("Skipped: ")
