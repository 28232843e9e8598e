"""Tests of permissions mean nothing to root: its rights to read everything are laid down for them.

Not by another user, who may not be able to read the interpreter or this checkout in ``/root``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from tests import absent
from tests.plugins import ALONE

TOOL = "setpriv"
RIGHTS = "-dac_override,-dac_read_search,-fowner,-sys_ptrace,-sys_admin,-perfmon"
"""To read and write any file, and any process's memory and environment (capabilities(7))."""
INSIDE = "BUNDLEVISOR_WITHOUT_ROOT"
WITHIN_S = 100


def is_needed() -> bool:
    """Return whether this process has rights that a test marked ``permissions`` must not have."""
    return hasattr(os, "geteuid") and os.geteuid() == 0 and INSIDE not in os.environ


def run(test: str) -> None:
    """Run one test, by its node id, in a pytest without those rights; AssertionError as it says."""
    if not shutil.which(TOOL):
        absent.skip(TOOL)
    command = [TOOL, f"--bounding-set={RIGHTS}", f"--inh-caps={RIGHTS}", sys.executable]
    arguments = ["-m", "pytest", "-q", "-p", "no:cacheprovider", *ALONE, test]
    done = subprocess.run(
        [*command, *arguments],
        env={**os.environ, INSIDE: "1"},
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "1 passed" in done.stdout, done.stdout
