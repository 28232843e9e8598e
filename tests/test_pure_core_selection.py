"""What is left out beside the run of the pure core's tests is run there: no test by neither."""

from __future__ import annotations

import subprocess
import sys

from tests import pure_core
from tests.plugins import ALONE

FOLDERS = (
    "tests/guardian",
    "tests/manifest",
    "tests/actors/core/test_every_pair_of_commands.py",
    "tests/actors/core/test_lifecycle_any_order.py",
)
"""Files of the core and others; tests by examples, tests of permissions, and what takes long."""
PROGRAM = """
import sys, pytest
from tests import pure_core

plugins = {"all": [], "core": [pure_core.Traced()], "others": [pure_core]}
sys.exit(pytest.main(sys.argv[2:], plugins[sys.argv[1]]))
"""


def collected(which: str) -> list[str]:
    """Return the names of the tests that pytest would run."""
    words = ("-q", "--collect-only", "-p", "no:cacheprovider", *ALONE)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, which, *words, *FOLDERS],
        cwd=pure_core.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return sorted(line for line in done.stdout.splitlines() if "::" in line)


def test_every_test_is_run_by_one_of_the_two_runs() -> None:
    everything, core, others = map(collected, ("all", "core", "others"))
    assert sorted(core + others) == everything
    assert core
    assert others
