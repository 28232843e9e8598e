"""Whose the processes are that a guardian finds."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bundlevisor.actors.guardian import survivors, system
from bundlevisor.actors.process.table import control_group
from tests.guardian.marked import marked

if TYPE_CHECKING:
    from bundlevisor.actors.process.table.found import Found

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="control groups are Linux'")

GONE = f"gone{os.urandom(4).hex()}"


def test_what_is_born_while_it_is_looked_is_of_its_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be told to end as what nobody knows, beside a leader that needs it."""
    with marked(f"{GONE}-1", tmp_path / "r") as leader, ExitStack() as later:
        born: list[int] = []
        census = system.census

        def one_is_born(prefix: str, sessions: set[int]) -> list[Found]:
            found = census(prefix, sessions)
            born.append(later.enter_context(marked(f"{GONE}-1", tmp_path / "late")).pid)
            return found

        monkeypatch.setattr(system, "census", one_is_born)
        monkeypatch.setattr(control_group, "members", lambda _path: [leader.pid, *born])
        seen = survivors.look(f"{GONE}-", {}, {}, (1, -1.0), {}, "a group")
        assert born
        assert {name: [one.pid for one in found] for name, found in seen.items()} == {
            f"{GONE}-1": [leader.pid]
        }
