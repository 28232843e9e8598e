"""What is left out beside the run of the pure core's tests is run there: no test by neither."""

from __future__ import annotations

import subprocess
import sys

from tests import pure_core

FOLDERS = ("tests/actors", *pure_core.TESTS)
"""All that is named, and neighbours that are not."""


def collected(*words: str) -> set[str]:
    """Return the names of the tests that pytest would run."""
    # Hypothesis' plugin reads the source of each module for constants: for nothing here.
    unused = ("-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:hypothesispytest")
    plain = ("-q", "--collect-only", *unused)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plain, *words],
        cwd=pure_core.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return {line for line in done.stdout.splitlines() if "::" in line}


def test_every_test_is_run_by_one_of_the_two_runs() -> None:
    everything = collected(*FOLDERS)
    core = collected(*pure_core.selection())
    others = collected(*FOLDERS, "-p", "tests.pure_core")
    assert core < everything
    assert others < everything
    assert everything - others - core == set()
    assert others - core
