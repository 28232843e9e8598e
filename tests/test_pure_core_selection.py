"""What is left out beside the run of the pure core's tests is run there: no test by neither."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

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
import json, sys, pytest
from tests import pure_core

class Names:
    def pytest_collection_finish(self, session):
        found.append(sorted(item.nodeid for item in session.items))

found = []
for chosen in ([], [pure_core.Traced()], [pure_core]):
    code = pytest.main(sys.argv[2:], [*chosen, Names()])
    if code:
        sys.exit(code)
with open(sys.argv[1], "w") as out:
    json.dump(found, out)
"""
"""What pytest would run: all, what the core's run has, and what the other one has; in one process,
which imports what they stand in once."""


def test_every_test_is_run_by_one_of_the_two_runs(tmp_path: Path) -> None:
    words = ("-q", "--collect-only", "-p", "no:cacheprovider", *ALONE, *FOLDERS)
    names = tmp_path / "names"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, names, *words],
        cwd=pure_core.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    everything, core, others = json.loads(names.read_bytes())
    assert sorted(core + others) == everything
    assert core
    assert others
