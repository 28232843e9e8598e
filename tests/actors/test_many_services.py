"""What a report costs does not depend on how many services there are, but on those around its own.

What is counted are calls of functions, in Python and C: time depends on the machine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from bundlevisor.actors.core.messages import Message, StopBundle
from bundlevisor.manifest.format.schema import Manifest
from tests.actors.core.scheduled import Scheduled
from tests.manifests import needing

FEW, MANY = 20, 200


def independent(count: int) -> Manifest:
    return needing(**{f"s{number}": "" for number in range(count)})


def pairs(count: int) -> Manifest:
    """Each second one needs the one before it."""
    return needing(**{f"s{n}": f"s{n - 1}" if n % 2 else "" for n in range(count)})


class Counted(Scheduled):
    """Counts the calls that the supervisor makes for each message."""

    def __init__(self, bundle: Manifest) -> None:
        self.calls: list[int] = []
        super().__init__(bundle)
        self.supervisor = self._supervisor

    def hear(self) -> None:
        """Let the supervisor hear the oldest message."""
        message = self._inbox.popleft()
        self.calls.append(calls(lambda: self.supervisor.on_receive(message)))

    def go_on(self, id_: str) -> None:
        """Let a service do all that it can, and the supervisor hear of it."""
        while steps := self.actors[id_].steps():
            steps[0]()
            while self._inbox:
                self.hear()


def calls(act: Callable[[], object]) -> int:
    counted = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        act()
    finally:
        sys.setprofile(None)
    return counted


def costs(bundle: Manifest, end: Message) -> list[int]:
    """Return the calls for each report of one service's start, and of its stop with all others."""
    world = Counted(bundle)
    world.go_on("s4")  # with it comes what the start has changed for all
    world.calls = []
    world.go_on("s0")
    started = world.calls.copy()
    for id_ in list(world.actors):
        world.go_on(id_)
    world.command(end)
    world.go_on("s1")  # with it comes what the command has changed for all
    world.calls = []
    world.go_on("s3")
    return started + world.calls


@pytest.mark.parametrize("bundle", [independent, pairs])
def test_a_report_costs_the_same_among_few_and_many(bundle: Callable[[int], Manifest]) -> None:
    few, many = (costs(bundle(count), StopBundle("the end")) for count in (FEW, MANY))
    assert len(few) > 3
    assert many == few
