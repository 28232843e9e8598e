"""Holding files of machine code takes open files: what is left is for clients first."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import os, resource, sys
from bundlevisor.actors.guardian.kept_code import ROOM, KeptCode, PrivateStore

files, spare = 20, int(sys.argv[1])
most = len(os.listdir("/proc/self/fd")) + files + spare
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
before = len(os.listdir("/proc/self/fd"))
KeptCode(PrivateStore(), (0, 0)).stand_in({f"module{n}": "/dev/null" for n in range(files)})
held = len(os.listdir("/proc/self/fd")) - before
for _ in range(min(ROOM, most - before - 1)):
    os.open("/dev/null", os.O_RDONLY)
print(held, ROOM)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere they are loaded, not held")
@pytest.mark.parametrize(("spare", "held"), [(0, 0), (5, 0), (100, 20)])
def test_they_are_held_only_where_clients_still_have_some(spare: int, held: int) -> None:
    words = [sys.executable, "-c", CODE, str(spare)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[0]) == held
