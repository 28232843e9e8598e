"""Who belongs to a service's tree, found by one walk for all trees."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.guardian.marked import birth, marked

if sys.platform != "win32":
    from bundlevisor.actors.process import table, tree

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has jobs for that")

M = f"roll{os.urandom(4).hex()}"


def test_a_tree_is_its_session_and_its_exact_mark(tmp_path: Path) -> None:
    with (
        marked(f"{M}-1", tmp_path / "leader") as leader,
        marked(f"{M}-1", tmp_path / "escaped") as escaped,
        marked(f"{M}-12", tmp_path / "other") as other,
    ):
        for process, mark in ((leader, f"{M}-1"), (other, f"{M}-12")):
            tree.add_tree(process.pid, birth(process.pid), mark)
        try:
            roll = tree.ProcessScan()
            found = {pid for pid, _ in roll.members(leader.pid, f"{M}-1")}
            assert found == {leader.pid, escaped.pid}
            assert roll.members(other.pid, f"{M}-12") == [(other.pid, birth(other.pid))]
        finally:
            tree.remove_tree(leader.pid)
            tree.remove_tree(other.pid)


def test_each_question_is_answered_by_a_walk_that_began_after_it(tmp_path: Path) -> None:
    with marked(f"{M}-2", tmp_path / "leader") as leader:
        tree.add_tree(leader.pid, birth(leader.pid), f"{M}-2")
        try:
            roll = tree.ProcessScan()
            assert roll.members(leader.pid, f"{M}-2")
            leader.kill()
            leader.wait()
            assert roll.members(leader.pid, f"{M}-2") == []
        finally:
            tree.remove_tree(leader.pid)


def test_a_tree_without_a_mark_is_found_without_looking_for_those_of_all_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A health command's is looked for twice a second; a mark takes longer than all else."""
    looked_at: list[int] = []

    def mark_of(pid: int) -> str:
        looked_at.append(pid)
        return ""

    with marked(f"{M}-3", tmp_path / "leader") as leader:
        monkeypatch.setattr(sys.modules[table.census.__module__], "mark_of", mark_of)
        tree.add_tree(leader.pid, birth(leader.pid), "")
        try:
            found = tree.ProcessScan().members(leader.pid, "")
            assert found == [(leader.pid, birth(leader.pid))]
            assert not looked_at
        finally:
            tree.remove_tree(leader.pid)
