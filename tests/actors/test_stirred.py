"""What waits goes on with the first end that it waited for, however long others still take."""

from __future__ import annotations

import pytest

from bundlevisor.actors.core.messages import CommandRestart, CommandStart, CommandStop
from bundlevisor.actors.core.report import Stage
from bundlevisor.actors.core.snapshot import State
from tests.actors.core.scheduled import Scheduled
from tests.manifests import needing


class Slow(Scheduled):
    """A bundle of which one service takes its time, once everything is ready."""

    def __init__(self, slow: str) -> None:
        super().__init__(needing(db="", api="db", web="db", extra=""))
        self.run(lambda _: 0)
        self._slow = slow

    def rest(self) -> None:
        """Let happen all that can while the slow one does nothing."""
        others = [actor for id_, actor in self.actors.items() if id_ != self._slow]
        while self._inbox or any(actor.steps() for actor in others):
            while self._inbox:
                self._hear()
            for actor in others:
                for step in actor.steps()[:1]:
                    step()

    def ready(self) -> set[str]:
        return {id_ for id_ in self.actors if self.stage(id_) is Stage.READY}


@pytest.mark.parametrize("slow", ["extra", "web"])
def test_what_has_failed_starts_when_its_own_dependents_have_ended(slow: str) -> None:
    world = Slow(slow)
    world.command(CommandRestart("api"))
    world.command(CommandRestart(slow))
    world.actors["db"].crash()
    world.rest()
    assert world.board.snapshot.services[slow].state is State.STOPPING
    own = slow == "web"
    assert world.stage("db") is (Stage.WAITING if own else Stage.READY)
    assert world.ready() == ({"extra", "web"} if own else {"db", "api", "web", "extra"})


def test_what_was_to_wait_for_a_stop_starts_when_that_is_taken_back() -> None:
    world = Slow("web")
    world.command(CommandStop("db"))
    world.rest()
    assert world.stage("db") is Stage.READY  # web has to end first
    assert world.stage("api") is Stage.WAITING
    world.command(CommandStart("db"))
    world.rest()
    assert world.stage("api") is Stage.READY
