"""What is about to be spawned has to wait again when what it needs is lost."""

from __future__ import annotations

import msgspec
import pytest

from bundlevisor.actors.core import dependencies as order
from bundlevisor.actors.core.dependencies import Tree
from bundlevisor.actors.core.desired import Desired
from tests.actors.core.trees import tree

RESTARTED = Desired(after=0, reason="restarting")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (tree(db="starting", api="starting"), ["api"]),
        (tree(db="ready", desired={"db": RESTARTED}, api="starting"), ["api"]),
        (tree(db="ready", api="starting"), []),  # it is back
        (tree(db="starting", api="ready"), []),
        (tree(db="starting", api="waiting", web="starting"), []),
    ],
)
def test_who_has_to_wait_again_for_what_was_lost(given: Tree, expected: list[str]) -> None:
    assert order.overtaken(given, ["db"]) == expected


def test_what_runs_by_now_has_not_to_wait_again() -> None:
    given = tree(db="starting", api="starting")
    running = msgspec.structs.replace(given.reports["api"], pid=77)
    given = msgspec.structs.replace(given, reports=given.reports | {"api": running})
    assert order.overtaken(given, ["db"]) == []
