"""A process that ends while its tree is looked at, and leaves a child: that one is left."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("only on Linux is anything adopted", allow_module_level=True)

HANDED_ON_AT_A_LOOK = """
import os
from bundlevisor.actors.process import children, table, tree
from bundlevisor.actors.process.spawn_request import SpawnRequest
from bundlevisor.actors.process.table.own_process import adopt_orphans
from tests.waiting import wait_until

adopt_orphans()
os.mkfifo("go")
argv = ("/bin/sh", "-c", "(read go < go; sleep 60 &) & exit")
with open(os.devnull, "wb") as output:
    request = SpawnRequest(argv=argv, env={}, cwd=".", output=output.fileno(), instance="one-1")
    child = children.spawn(request)
wait_until(lambda: child.poll() is not None, what="the leader's end")
(orphan,) = child.survivors()
came_out_of = tree._came_out_of


def hand_on(pid, *tree_of):
    if pid == orphan and table.alive(pid, table.created(pid)):
        with open("go", "wb") as go:
            go.write(b"go\\n")
        wait_until(lambda: not table.alive(pid, table.created(pid)), what="the orphan's end")
    return came_out_of(pid, *tree_of)


tree._came_out_of = hand_on
left = child.survivors()
child.kill()
assert len(left) == 1, left
assert left != [orphan]
"""


def test_what_a_process_leaves_that_ends_during_a_look_is_found(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", HANDED_ON_AT_A_LOOK]
    ended = subprocess.run(
        argv, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr
