"""The last command wins, whenever it comes: every pair, at every moment of the first one.

Two services under a third, and a stop that takes its time: each pair of commands is played with
the second after every number of steps of the first, and everything that waits is delivered in
several orders. What is said to be done must be so, and stay so.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from bundlevisor.actors.core.messages import (
    CommandRestart,
    CommandStart,
    CommandStop,
    Message,
    Outcome,
    PortsTaken,
    SecretsChanged,
    StopBundle,
)
from bundlevisor.actors.core.report import Stage
from bundlevisor.actors.core.snapshot import Phase, ServiceView, State
from bundlevisor.control.api.services import is_done, is_settled
from bundlevisor.control.wire.facade import Action
from bundlevisor.manifest.format.policy import Supervision
from bundlevisor.manifest.format.schema import Manifest, Service
from bundlevisor.manifest.format.secret import Secret, SecretTarget
from tests.actors.core.scheduled import Scheduled
from tests.manifests import manifest_of

NEEDS = {"db": [], "api": ["db"], "web": ["api"]}
STRATEGIES = ("one_for_one", "rest_for_one", "one_for_all")
USERS = {"db": frozenset({"api"})}
ACTIONS: dict[type[Message], Action] = {
    CommandStart: "start",
    CommandStop: "stop",
    CommandRestart: "restart",
}


class Boot(Message, frozen=True):
    """Not a command: the bundle's own start, which has been begun."""


class Crash(Message, frozen=True):
    """Not a command: a process ends by itself."""

    id: str


COMMANDS: list[Message] = [
    *(kind(id_) for kind in ACTIONS for id_ in NEEDS),
    SecretsChanged(frozenset({"key"})),
    PortsTaken("db", ("http",)),
    Crash("db"),
    Crash("api"),
    StopBundle("the end"),
]


def manifest(strategy: Any) -> Manifest:
    secret = Secret(id="key", class_="user_prompt", target=SecretTarget(type="env", name="K"))
    services = [
        Service(id=id_, dependencies=needs, secrets=["key"] if id_ == "api" else [])
        for id_, needs in NEEDS.items()
    ]
    return manifest_of(
        *services,
        supervision=Supervision(strategy=strategy, intensity=100),
        secrets=[secret],
    )


def schedules() -> list[Callable[[int], int]]:
    """Return the orders in which what waits is delivered: two extremes, and two of the rest."""
    return [
        lambda _: 0,
        lambda n: n - 1,
        random.Random(1).randrange,
        random.Random(2).randrange,
    ]


class Given:
    """A command that was given, and what may be said of it from then on."""

    def __init__(self, world: Scheduled, message: Message) -> None:
        self.message = message
        self.since = len(world.history)
        if isinstance(message, Boot):
            self.outcome = Outcome()
        elif isinstance(message, Crash):
            if message.id in world.actors:
                world.actors[message.id].crash()
            self.outcome = Outcome()
        else:
            self.outcome = world.command(message)

    @property
    def action(self) -> Action | None:
        return ACTIONS.get(type(self.message))

    def done(self, view: ServiceView) -> bool:
        return self.action is not None and is_done(self.action, self.outcome.after, view)


def expected(*given: Message) -> dict[str, Stage]:
    """Return what must be in the end, by the documented rules alone."""
    down: set[str] = set()
    for message in given:
        if isinstance(message, StopBundle):
            return dict.fromkeys(NEEDS, Stage.STOPPED)
        if isinstance(message, CommandStop):
            down.add(message.id)
        elif isinstance(message, CommandStart | CommandRestart):
            down -= {message.id, *all_needs(message.id)}
    blocked = {id_ for id_ in NEEDS if down & all_needs(id_)} - down
    return {
        id_: Stage.STOPPED if id_ in down else Stage.WAITING if id_ in blocked else Stage.READY
        for id_ in NEEDS
    }


def all_needs(id_: str) -> set[str]:
    return set(NEEDS[id_]).union(*(all_needs(other) for other in NEEDS[id_]))


def play(
    first: Message, second: Message, strategy: str, choose: Callable[[int], int], moment: int
) -> int:
    """Give both commands, the second after ``moment`` steps; return the steps that were taken."""
    world = Scheduled(manifest(strategy), USERS)
    if not isinstance(first, Boot):
        world.run(lambda _: 0)
        assert world.board.snapshot.ready
    one = Given(world, first)
    taken = world.run(choose, moment)
    running = {id_: actor.life.incarnation for id_, actor in world.actors.items()}
    two = Given(world, second)
    world.run(choose)
    stages = {id_: world.stage(id_) for id_ in NEEDS}
    assert stages == expected(first, second)
    assert {id_ for id_, actor in world.actors.items() if actor.alive} == {
        id_ for id_, stage in stages.items() if stage is Stage.READY
    }
    if isinstance(second, CommandRestart) and world.board.snapshot.phase is Phase.RUNNING:
        assert world.actors[second.id].life.incarnation > running.get(second.id, 0)
    check_done(world, one, until=two.since)
    check_done(world, two, until=len(world.history))
    check_picture(world)
    return taken


def check_done(world: Scheduled, given: Given, until: int) -> None:
    """What was done has to stay so until the next command, and the last word is always said."""
    if given.action is None:
        return
    views = [snapshot.services[given.message.id] for snapshot in world.history]  # type: ignore[attr-defined]
    said = [given.done(view) for view in views[given.since : until]]
    first = said.index(True) if True in said else len(said)
    if not world.crashed:  # which nobody knows at first
        assert all(said[first:]), f"done was taken back: {given.message}"
    if until == len(world.history) and not given.outcome.conflict:
        assert is_settled(given.action, given.outcome.after, views[-1])
        assert given.done(views[-1]), f"never done: {given.message}"


def check_picture(world: Scheduled) -> None:
    """In the end the picture is what is so."""
    for id_, view in world.board.snapshot.services.items():
        stage = world.stage(id_)
        assert view.state.value == stage.value
        assert view.blocked is (stage is Stage.WAITING)
        assert view.kept_down is (stage is Stage.STOPPED)
        if view.blocked:
            assert view.message.startswith("blocked: ")
            assert view.waiting_for == tuple(NEEDS[id_])


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("first", [Boot(), *COMMANDS], ids=repr)
def test_the_last_command_wins_at_every_moment_of_the_first(first: Message, strategy: str) -> None:
    for second, which in itertools.product(COMMANDS, range(len(schedules()))):
        moment, taken = 0, 0
        while taken == moment:
            try:
                taken = play(first, second, strategy, schedules()[which], moment)
            except AssertionError as error:
                error.add_note(f"{first} then {second} after {moment} steps, order {which}")
                raise
            moment += 1


@pytest.mark.parametrize("strategy", STRATEGIES)
@given(
    st.lists(
        st.tuples(st.sampled_from(COMMANDS[:-1]), st.integers(0, 11)), min_size=1, max_size=11
    ),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=150)
def test_after_any_commands_at_any_moments_the_last_ones_have_won(
    strategy: str, steps: list[tuple[Message, int]], seed: int
) -> None:
    """The order of what waits is drawn from a seed: a choice of its own each costs most of all."""
    dice = random.Random(seed)
    world = Scheduled(manifest(strategy), USERS)
    commands = [command for command, _ in steps]
    for command, moment in steps:
        world.run(dice.randrange, moment)
        Given(world, command)
    world.run(dice.randrange)
    stages = {id_: world.stage(id_) for id_ in NEEDS}
    if Stage.FAILED not in stages.values():  # the policy gives up what crashes too often
        assert stages == expected(*commands)
        check_picture(world)


def test_a_start_takes_a_stop_back_that_was_not_told_yet() -> None:
    world = Scheduled(manifest("one_for_one"))
    world.run(lambda _: 0)
    assert world.command(CommandStop("db")).affected == ("web", "api")
    db = world.board.snapshot.services["db"]
    assert (db.state, db.ready, db.kept_down) == (State.STOPPING, False, True)
    assert db.message == "stopped by command; waiting for api, web to stop"
    world.command(CommandStart("db"))
    assert world.board.snapshot.services["db"].ready
    world.run(lambda _: 0)
    assert [world.actors[id_].life.incarnation for id_ in NEEDS] == [1, 2, 2]


@pytest.mark.parametrize("last", [CommandStop("api"), CommandRestart("api"), CommandStart("api")])
@pytest.mark.parametrize("heard", [False, True])
def test_what_a_broken_actor_had_not_heard_its_successor_is_told(
    last: Message, heard: bool
) -> None:
    world = Scheduled(manifest("one_for_one"), USERS)
    world.run(lambda _: 0)
    world.command(last)
    world.run(lambda _: 0, 3 if heard else 0)
    world.break_actor("api")
    world.run(lambda _: 0)
    assert {id_: world.stage(id_) for id_ in NEEDS} == expected(last)
    check_picture(world)


@pytest.mark.parametrize("command", [CommandRestart("db"), PortsTaken("db", ("http",))])
def test_a_start_that_a_broken_actor_had_not_heard_is_made_up_for_by_one(command: Message) -> None:
    """A run that was ordered and never was has a number all the same: the next one is later."""
    world = Scheduled(manifest("one_for_one"), {"db": frozenset({"db"})})
    given = Given(world, command)  # while the first start of all is on its way
    world.break_actor("db")
    world.run(lambda _: 0)
    db = [snapshot.services["db"] for snapshot in world.history]
    assert next(view.incarnation for view in db if view.ready) == db[-1].incarnation == 2
    if given.action:
        assert given.done(db[-1])
