"""Reports that wait for the supervisor in a row are shown in one snapshot: the last one's."""

from __future__ import annotations

from bundlevisor.actors.core.messages import CommandStop, Message, StopBundle
from bundlevisor.actors.core.snapshot import State
from tests.actors.core.scheduled import Scheduled
from tests.manifests import needing

NAMES = ("a", "b", "c")


class Mailed(Scheduled):
    """Hands the supervisor what waits for it as pykka does, in its own inbox."""

    def launch_all(self) -> None:
        for actor in self.actors.values():
            actor.steps()[0]()

    def mail(self, *more: Message) -> None:
        for message in (*self._inbox, *more):
            self._supervisor.actor_ref.tell(message)
        self._inbox.clear()

    def turn(self) -> None:
        self._supervisor._take_turn()


def launched() -> Mailed:
    world = Mailed(needing(**dict.fromkeys(NAMES, "")))
    world.launch_all()
    return world


def test_reports_in_a_row_are_one_snapshot() -> None:
    world = launched()
    before = world.board.snapshot
    world.mail()
    world.turn()
    world.turn()
    assert world.board.snapshot is before
    world.turn()
    shown = world.board.snapshot
    assert shown.version == before.version + 1
    reported = {id_: world.actors[id_].life.pid for id_ in NAMES}
    assert {id_: view.pid for id_, view in shown.services.items()} == reported
    assert not world.faults


def test_what_a_command_changes_is_shown_when_it_is_answered() -> None:
    world = launched()
    world.mail()
    world.command(StopBundle("the end"))
    states = {view.state for view in world.board.snapshot.services.values()}
    assert states == {State.STOPPING}
    assert not world.faults


def test_a_moment_is_told_of_each_change_and_of_nothing_else() -> None:
    world = Mailed(needing(a="", b="a"))
    world.clock = 5.0
    world.launch_all()
    world.mail()
    world.turn()
    shown = world.board.snapshot.services
    assert (shown["a"].message, shown["a"].updated_at) == ("starting", 5.0)
    assert (shown["b"].message, shown["b"].updated_at) == ("waiting for a", 0.0)
    world.clock = 9.0
    world.command(CommandStop("a"))
    shown = world.board.snapshot.services
    assert [view.updated_at for view in shown.values()] == [9.0, 9.0]
    assert shown["b"].blocked
    assert not world.faults
