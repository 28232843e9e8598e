"""What tests of the loop have in common."""

from __future__ import annotations

from collections.abc import Callable

from bundlevisor.actors.loop.reactor import Loop
from tests.waiting import WITHIN, wait_until

PATIENCE = WITHIN
Reports = list[tuple[str, BaseException]]


def result_of(loop: Loop, call: Callable[[], object]) -> object:
    box: list[object] = []
    loop.call_soon(lambda: box.append(call()))
    wait_until(lambda: box, PATIENCE, "a call on the loop")
    return box[0]
