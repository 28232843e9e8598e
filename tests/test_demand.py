"""A run that demands something fails for what it has skipped, and only then."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.absent import DEMAND, NOT_HERE
from tests.plugins import ALONE

WHY = "BUNDLEVISOR_TEST_SKIPS_FOR"
THIS = "test_that_skips_when_it_is_asked_to"


def test_that_skips_when_it_is_asked_to() -> None:
    if WHY in os.environ:
        pytest.skip(os.environ[WHY])


@pytest.mark.parametrize(
    ("demand", "why", "good", "workers"),
    [
        ("", "no reason", True, ()),
        ("possible", NOT_HERE + "a moon", True, ()),
        ("possible", "no reason", False, ("-p", "xdist", "-n", "1")),
        ("everything", NOT_HERE + "a moon", False, ()),
    ],
)
def test_what_is_demanded_must_not_be_skipped(
    demand: str, why: str, good: bool, workers: tuple[str, ...]
) -> None:
    test = f"{Path(__file__).relative_to(Path(__file__).parents[1])}::{THIS}"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *ALONE, *workers, test],
        cwd=Path(__file__).parents[1],
        env={**os.environ, DEMAND: demand, WHY: why, "BUNDLEVISOR_WITHOUT_ROOT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) is good, done.stdout + done.stderr
    assert "1 skipped" in done.stdout
    assert (f"1 tests were demanded and skipped: {why}" in done.stdout) is not good
