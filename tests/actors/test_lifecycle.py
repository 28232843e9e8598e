"""The life of a service: the transition table, event by event, and what must hold in any order."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, strategies as st

from actors import effects, lifecycle
from actors.lifecycle import Context, Life, step
from actors.messages import (
    BecameReady,
    FailService,
    ForgiveService,
    Inputs,
    KillService,
    Launched,
    LaunchFailed,
    Message,
    PortsLost,
    Prepared,
    ProbeAnswered,
    ProcessExited,
    ProgressMade,
    StartService,
    StopService,
    SystemResumed,
    Then,
    Timer,
    TimerFired,
    TreeEmptied,
)
from actors.snapshot import State
from manifest.schema import Health, RestartPolicy, Service

SERVICE = Service(id="api", health=Health(type="http"))
ONCE = Service(id="api", health=Health(type="http"), restart=RestartPolicy(policy="never"))


def go(life: Life, *events: Message, service: Service = SERVICE, now: float = 100.0) -> Life:
    for event in events:
        life, _ = step(life, event, Context(service, now))
    return life


def effect_names(life: Life, event: Message, service: Service = SERVICE) -> list[str]:
    _, found = step(life, event, Context(service, 100.0))
    return [type(effect).__name__ for effect in found]


def start(after: int = 0) -> StartService:
    return StartService(after, Inputs({}))


WAITING = Life()
STARTING = go(WAITING, start(), Prepared(1), Launched(1, 77))
READY = go(STARTING, BecameReady(1))
STOPPING = go(READY, StopService(Then.STAY))
BACKOFF = go(STARTING, ProcessExited(1, 1), TreeEmptied(1))
FAILED = go(STARTING, ProcessExited(1, 1), TreeEmptied(1), service=ONCE)
STOPPED = go(STOPPING, ProcessExited(1, -15), TreeEmptied(1))
UNHEALTHY = go(READY, *[ProbeAnswered(1, "HTTP 500")] * 3)


@pytest.mark.parametrize(
    ("life", "state"),
    [
        (WAITING, State.WAITING),
        (STARTING, State.STARTING),
        (READY, State.READY),
        (UNHEALTHY, State.UNHEALTHY),
        (STOPPING, State.STOPPING),
        (STOPPED, State.STOPPED),
        (BACKOFF, State.BACKOFF),
        (FAILED, State.FAILED),
    ],
)
def test_the_way_of_a_service_leads_through_every_state(life: Life, state: State) -> None:
    assert life.state is state


@pytest.mark.parametrize(
    ("life", "event", "state", "expected"),
    [
        (WAITING, start(), State.STARTING, ["Disarm", "Prepare"]),
        (go(WAITING, start()), Prepared(1), State.STARTING, ["Arm", "Launch"]),
        (
            go(WAITING, start()),
            LaunchFailed(1, "no file"),
            State.BACKOFF,
            ["Disarm", "Note", "Note", "ReportFailure", "Note", "Arm"],
        ),
        (
            go(WAITING, start()),
            LaunchFailed(1, "no port", fatal=True),
            State.FAILED,
            ["Disarm", "Note", "Note", "ReleasePorts"],
        ),
        (
            go(WAITING, start()),
            PortsLost(1, ("http",)),
            State.WAITING,
            ["Disarm", "Disarm", "Disarm", "ReportPorts"],
        ),
        (
            STARTING,
            TimerFired(1, Timer.READINESS),
            State.STOPPING,
            ["Disarm", "Disarm", "Disarm", "Note", "Arm", "EndTree"],
        ),
        (
            STARTING,
            TimerFired(1, Timer.STARTUP),
            State.STOPPING,
            ["Disarm", "Disarm", "Disarm", "Note", "Arm", "EndTree"],
        ),
        (
            READY,
            ProcessExited(1, 1),
            State.STOPPING,
            ["Note", "Disarm", "Disarm", "Disarm", "Arm", "ClearTree"],
        ),
        (READY, ProbeAnswered(1, "HTTP 500"), State.READY, []),
        (
            READY,
            StopService(Then.STAY),
            State.STOPPING,
            ["Disarm", "Disarm", "Disarm", "Arm", "EndTree"],
        ),
        (STOPPING, TimerFired(1, Timer.GRACE), State.STOPPING, ["Note", "KillTree"]),
        (BACKOFF, TimerFired(1, Timer.BACKOFF), State.WAITING, []),
        (BACKOFF, StopService(Then.STAY), State.STOPPED, ["Disarm", "ReleasePorts"]),
        (BACKOFF, ForgiveService(), State.WAITING, ["Disarm"]),
        (FAILED, ForgiveService(), State.WAITING, ["Disarm"]),
        (STOPPED, ForgiveService(), State.WAITING, ["Disarm"]),
        (STOPPED, start(1), State.STOPPED, []),
        (FAILED, start(1), State.FAILED, []),
        (WAITING, FailService("no"), State.FAILED, ["Disarm", "Note", "ReleasePorts"]),
        (
            UNHEALTHY,
            KillService(),
            State.STOPPING,
            ["Disarm", "Disarm", "Disarm", "Disarm", "KillTree"],
        ),
    ],
)
def test_each_event_has_the_next_state_and_the_effects_of_the_table(
    life: Life, event: Message, state: State, expected: Any
) -> None:
    assert go(life, event).state is state
    assert effect_names(life, event) == expected


def test_a_starting_service_says_what_stands_in_its_way_as_long_as_it_does() -> None:
    look = TimerFired(1, Timer.OBSTACLE)
    seen, found = step(STARTING, look, Context(SERVICE, 100.0, trouble="HTTP 503"))
    assert (seen.state, seen.message) == (State.STARTING, "starting: HTTP 503")
    assert found == (effects.Arm(Timer.OBSTACLE, lifecycle.OBSTACLE),)
    assert go(seen, look).message == "starting"
    assert step(READY, look, Context(SERVICE, 100.0, trouble="HTTP 503")) == (READY, ())


def test_a_crash_after_ready_is_followed_by_a_start_at_once() -> None:
    life = go(READY, ProcessExited(1, -9), TreeEmptied(1))
    assert (life.state, life.history.total) == (State.WAITING, 1)
    assert life.message == "restarting: killed by SIGKILL"


def test_an_exit_before_readiness_is_a_failure_even_with_status_0_and_shows_the_last_line() -> None:
    life = go(STARTING, ProcessExited(1, 0, "loading\nno config\n"), TreeEmptied(1), service=ONCE)
    assert life.state is State.FAILED
    assert life.message == "exit 0 before it was ready: no config"


def test_a_service_that_ends_with_status_0_after_it_was_ready_is_left_alone() -> None:
    life = go(READY, ProcessExited(1, 0), TreeEmptied(1))
    assert (life.state, life.message) == (State.STOPPED, "ended: exit 0")


def test_one_good_answer_forgets_the_bad_ones_before_it() -> None:
    life = go(READY, *[ProbeAnswered(1, "no answer")] * 2, ProbeAnswered(1))
    assert (life.troubles, life.message) == (0, "ready")


def test_an_unhealthy_service_is_restarted_like_one_that_crashed() -> None:
    life = go(UNHEALTHY, ProcessExited(1, -15), TreeEmptied(1))
    assert (life.state, life.history.total) == (State.WAITING, 1)


def test_a_stop_during_the_start_is_carried_out_when_the_tree_is_empty() -> None:
    life = go(WAITING, start(), StopService(Then.STAY), Prepared(1))
    assert life.state is State.STOPPED


def test_a_stop_is_sticky_whatever_was_under_way() -> None:
    life = go(READY, ProcessExited(1, 1), StopService(Then.STAY), TreeEmptied(1))
    assert life.state is State.STOPPED
    assert go(life, TimerFired(1, Timer.BACKOFF), BecameReady(1)).state is State.STOPPED


def test_a_stop_for_good_is_not_turned_into_a_restart() -> None:
    life = go(STOPPING, StopService(Then.WAIT), ProcessExited(1, 0), TreeEmptied(1))
    assert life.state is State.STOPPED


def test_a_start_command_while_it_stops_brings_it_back_when_it_has_stopped() -> None:
    life = go(STOPPING, ForgiveService(), ProcessExited(1, 0), TreeEmptied(1))
    assert life.state is State.WAITING


def test_a_second_start_for_the_same_incarnation_changes_nothing() -> None:
    life = go(BACKOFF, TimerFired(1, Timer.BACKOFF), start(0))
    assert life.state is State.WAITING


def test_what_belongs_to_another_incarnation_changes_nothing() -> None:
    again = go(READY, ProcessExited(1, -9), TreeEmptied(1), start(1), Prepared(2), Launched(2, 78))
    for late in (
        ProcessExited(1, 0),
        BecameReady(1),
        TimerFired(1, Timer.READINESS),
        TreeEmptied(1),
    ):
        assert go(again, late) == again


def test_waking_from_sleep_gives_a_starting_service_its_whole_time_again() -> None:
    _, found = step(STARTING, SystemResumed(3600), Context(SERVICE, 100.0))
    armed = {effect.timer for effect in found if isinstance(effect, effects.Arm)}
    assert armed == {Timer.STARTUP, Timer.READINESS}


EVENTS = st.one_of(
    st.builds(start, st.integers(0, 3)),
    st.builds(Prepared, st.integers(0, 3)),
    st.builds(Launched, st.integers(0, 3), st.just(77)),
    st.builds(LaunchFailed, st.integers(0, 3), st.just("no"), st.booleans()),
    st.builds(ProcessExited, st.integers(0, 3), st.sampled_from([0, 1, -9])),
    st.builds(TreeEmptied, st.integers(0, 3)),
    st.builds(BecameReady, st.integers(0, 3)),
    st.builds(ProbeAnswered, st.integers(0, 3), st.sampled_from(["", "ill"])),
    st.builds(PortsLost, st.integers(0, 3), st.just(("http",))),
    st.builds(TimerFired, st.integers(0, 3), st.sampled_from(Timer)),
    st.builds(StopService, st.sampled_from([Then.STAY, Then.WAIT])),
    st.builds(KillService),
    st.builds(ForgiveService),
    st.builds(FailService, st.just("no")),
    st.builds(ProgressMade, st.integers(0, 3), st.just("working")),
    st.builds(SystemResumed, st.just(60.0)),
)


@given(st.lists(EVENTS, max_size=40))
def test_whatever_happens_no_process_is_started_beside_one_that_may_live(
    events: list[Message],
) -> None:
    life = Life()
    for event in events:
        before = life
        life, found = step(life, event, Context(SERVICE, 100.0))
        if any(isinstance(effect, effects.Prepare) for effect in found):
            assert before.state not in lifecycle.LIVE
        if any(isinstance(effect, effects.Launch) for effect in found):
            assert before.pid is None
            assert before.state is State.STARTING


@given(st.lists(EVENTS, max_size=40))
def test_whatever_happens_a_stop_for_good_ends_in_stopped(events: list[Message]) -> None:
    life = go(Life(), *events)
    life = go(life, StopService(Then.STAY), TreeEmptied(life.incarnation))
    assert life.state is State.STOPPED


@given(st.lists(EVENTS, max_size=40))
def test_a_service_that_rests_has_no_process(events: list[Message]) -> None:
    life = go(Life(), *events)
    if life.state in (State.WAITING, State.BACKOFF, State.STOPPED):
        life_after = go(life, TreeEmptied(life.incarnation))
        assert life_after == life


def test_every_effect_is_performed_by_the_actor() -> None:
    from actors.service import PERFORM

    declared = {
        value
        for value in vars(effects).values()
        if isinstance(value, type)
        and issubclass(value, effects.Effect)
        and value is not effects.Effect
    }
    assert declared == set(PERFORM)


def test_lives_are_values() -> None:
    assert msgspec.structs.replace(READY) == READY
