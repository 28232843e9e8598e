"""The life of a service: the transition table, event by event, and what must hold in any order."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bundlevisor.actors.core import effects, lifecycle
from bundlevisor.actors.core.life import Context, Life
from bundlevisor.actors.core.lifecycle import step
from bundlevisor.actors.core.messages import (
    BecameReady,
    FailService,
    KillService,
    Launched,
    LaunchFailed,
    Message,
    PortsLost,
    Prepared,
    ProbeAnswered,
    ProcessExited,
    ResetFailures,
    StopService,
    SystemResumed,
    Timer,
    TimerFired,
    TreeEmptied,
)
from bundlevisor.actors.core.report import AfterStop, Stage
from tests.actors.core.lives import (
    BACKOFF,
    FAILED,
    ONCE,
    READY,
    SERVICE,
    STARTING,
    STOPPED,
    STOPPING,
    UNHEALTHY,
    WAITING,
    effect_names,
    go,
    start,
)


@pytest.mark.parametrize(
    ("life", "stage"),
    [
        (WAITING, Stage.WAITING),
        (STARTING, Stage.STARTING),
        (READY, Stage.READY),
        (UNHEALTHY, Stage.STOPPING),
        (STOPPING, Stage.STOPPING),
        (STOPPED, Stage.STOPPED),
        (BACKOFF, Stage.BACKOFF),
        (FAILED, Stage.FAILED),
    ],
)
def test_the_way_of_a_service_leads_through_every_state(life: Life, stage: Stage) -> None:
    assert life.stage is stage


@pytest.mark.parametrize(
    ("life", "event", "stage", "expected"),
    [
        (WAITING, start(), Stage.STARTING, ["Disarm", "Prepare"]),
        (go(WAITING, start()), Prepared(1), Stage.STARTING, ["Arm", "Launch"]),
        (
            go(WAITING, start()),
            LaunchFailed(1, "no file"),
            Stage.BACKOFF,
            ["Disarm", "EmitEvent", "EmitEvent", "ReportFailure", "EmitEvent", "Arm"],
        ),
        (
            go(WAITING, start()),
            LaunchFailed(1, "no port", fatal=True),
            Stage.FAILED,
            ["Disarm", "EmitEvent", "EmitEvent", "ReleasePorts"],
        ),
        (
            go(WAITING, start()),
            PortsLost(1, ("http",)),
            Stage.WAITING,
            ["Disarm", "Disarm", "Disarm", "ReportPorts"],
        ),
        (
            STARTING,
            TimerFired(1, Timer.READINESS),
            Stage.STOPPING,
            ["Disarm", "Disarm", "Disarm", "EmitEvent", "Arm", "EndTree"],
        ),
        (
            STARTING,
            TimerFired(1, Timer.STARTUP),
            Stage.STOPPING,
            ["Disarm", "Disarm", "Disarm", "EmitEvent", "Arm", "EndTree"],
        ),
        (
            READY,
            ProcessExited(1, 1),
            Stage.STOPPING,
            ["EmitEvent", "Disarm", "Disarm", "Disarm", "Arm", "ClearTree"],
        ),
        (READY, ProbeAnswered(1, "HTTP 500"), Stage.READY, []),
        (
            READY,
            StopService(AfterStop.STAY),
            Stage.STOPPING,
            ["Disarm", "Disarm", "Disarm", "Arm", "EndTree"],
        ),
        (STOPPING, TimerFired(1, Timer.GRACE), Stage.STOPPING, ["EmitEvent", "KillTree"]),
        (BACKOFF, TimerFired(1, Timer.BACKOFF), Stage.WAITING, []),
        (BACKOFF, StopService(AfterStop.STAY), Stage.STOPPED, ["Disarm", "ReleasePorts"]),
        (BACKOFF, ResetFailures(), Stage.WAITING, ["Disarm"]),
        (FAILED, ResetFailures(), Stage.WAITING, ["Disarm"]),
        (STOPPED, ResetFailures(), Stage.WAITING, ["Disarm"]),
        (STOPPED, start(1), Stage.STOPPED, []),
        (FAILED, start(1), Stage.FAILED, []),
        (WAITING, FailService("no"), Stage.FAILED, ["Disarm", "EmitEvent", "ReleasePorts"]),
        (
            UNHEALTHY,
            KillService(),
            Stage.STOPPING,
            ["Disarm", "Disarm", "Disarm", "Disarm", "KillTree"],
        ),
    ],
)
def test_each_event_has_the_next_state_and_the_effects_of_the_table(
    life: Life, event: Message, stage: Stage, expected: Any
) -> None:
    assert go(life, event).stage is stage
    assert effect_names(life, event) == expected


def test_a_starting_service_says_what_stands_in_its_way_as_long_as_it_does() -> None:
    look = TimerFired(1, Timer.OBSTACLE)
    seen, found = step(STARTING, look, Context(SERVICE, 100.0, trouble="HTTP 503"))
    assert (seen.stage, seen.message) == (Stage.STARTING, "starting: HTTP 503")
    assert found == (effects.Arm(Timer.OBSTACLE, lifecycle.OBSTACLE),)
    assert go(seen, look).message == "starting"
    assert step(READY, look, Context(SERVICE, 100.0, trouble="HTTP 503")) == (READY, ())


def test_a_crash_after_ready_is_followed_by_a_start_at_once() -> None:
    life = go(READY, ProcessExited(1, -9), TreeEmptied(1))
    assert (life.stage, life.history.total) == (Stage.WAITING, 1)
    assert life.message == "restarting: killed by SIGKILL"


def test_an_exit_before_readiness_is_a_failure_even_with_status_0_and_shows_the_last_line() -> None:
    life = go(STARTING, ProcessExited(1, 0, "loading\nno config\n"), TreeEmptied(1), service=ONCE)
    assert life.stage is Stage.FAILED
    assert life.message == "exit 0 before it was ready: no config"


TRACE = "serving\nTraceback (most recent call last):\n  File 'x', line 1\nOSError: disk gone\nbye\n"


@pytest.mark.parametrize(
    ("code", "said", "cause"),
    [
        (1, TRACE, "exit 1: OSError: disk gone"),
        (-6, TRACE, "killed by SIGABRT: OSError: disk gone"),
        (-9, TRACE, "killed by SIGKILL"),
        (0, TRACE, "exit 0"),
        (1, "GET / 200\n", "exit 1"),
        (1, "", "exit 1"),
    ],
)
def test_a_crash_after_ready_tells_its_reason_where_the_output_speaks_of_a_failure(
    code: int, said: str, cause: str
) -> None:
    life, found = step(READY, ProcessExited(1, code, said), Context(SERVICE, 100.0))
    assert life.message == cause
    told = "OSError" in cause
    assert ("OSError: disk gone" in life.output) is told
    (note,) = [one for one in found if isinstance(one, effects.EmitEvent)]
    assert note.details.get("reason") == ("OSError: disk gone" if told else None)
    assert note.details.get("last_lines", "") == said


def test_what_was_said_of_a_failure_is_shown_until_the_service_is_ready_again() -> None:
    failed = go(READY, ProcessExited(1, 1, TRACE), TreeEmptied(1), start(1), Prepared(2))
    assert "OSError: disk gone" in failed.output
    assert go(failed, Launched(2, 78), BecameReady(2)).output == ()


def test_an_exit_tells_the_last_twenty_lines_and_the_reason_above_them() -> None:
    frames = "".join(f"\tat C{n}\n" for n in range(50))
    text = f'Exception in thread "main" java.lang.Error: boom\n{frames}'
    life, found = step(STARTING, ProcessExited(1, 1, text), Context(SERVICE, 100.0))
    assert life.message.endswith(
        'before it was ready: Exception in thread "main" java.lang.Error: boom'
    )
    note = next(one for one in found if isinstance(one, effects.EmitEvent))
    assert str(note.details["last_lines"]).splitlines() == frames.splitlines()[-20:]
    assert life.output == tuple(text.splitlines()[:9])


def test_a_service_that_ends_with_status_0_after_it_was_ready_is_left_alone() -> None:
    life = go(READY, ProcessExited(1, 0), TreeEmptied(1))
    assert (life.stage, life.message) == (Stage.STOPPED, "ended: exit 0")


def test_one_good_answer_forgets_the_bad_ones_before_it() -> None:
    life = go(READY, *[ProbeAnswered(1, "no answer")] * 2, ProbeAnswered(1))
    assert (life.consecutive_failures, life.message) == (0, "ready")


def test_an_unhealthy_service_is_restarted_like_one_that_crashed() -> None:
    life = go(UNHEALTHY, ProcessExited(1, -15), TreeEmptied(1))
    assert (life.stage, life.history.total) == (Stage.WAITING, 1)


def test_every_wait_of_a_start_has_its_timer() -> None:
    _, prepared = step(go(WAITING, start()), Prepared(1), Context(SERVICE, 100.0))
    assert prepared[0] == effects.Arm(Timer.STARTUP, 120.0)
    _, launched = step(go(WAITING, start(), Prepared(1)), Launched(1, 77), Context(SERVICE, 100.0))
    armed = {one.timer: one.seconds for one in launched if isinstance(one, effects.Arm)}
    assert armed == {Timer.READINESS: 30.0, Timer.OBSTACLE: lifecycle.OBSTACLE}


@pytest.mark.parametrize(
    "life",
    [
        pytest.param(go(READY, ProcessExited(1, 1)), id="it ended by itself"),
        pytest.param(go(STARTING, TimerFired(1, Timer.READINESS)), id="not ready in time"),
        pytest.param(UNHEALTHY, id="unhealthy"),
    ],
)
def test_what_ends_by_itself_is_judged_by_the_restart_policy(life: Life) -> None:
    assert (life.stage, life.then) == (Stage.STOPPING, AfterStop.RETRY)
    assert go(life, TreeEmptied(1), service=ONCE).stage is Stage.FAILED
    assert go(life, TreeEmptied(1)).history.total == 1


@pytest.mark.parametrize("timer", list(Timer))
@pytest.mark.parametrize("life", [STARTING, READY, STOPPING, BACKOFF, STOPPED, FAILED])
def test_a_timer_means_something_in_its_own_stage_only(life: Life, timer: Timer) -> None:
    meant = {
        Stage.STARTING: {Timer.STARTUP, Timer.READINESS, Timer.OBSTACLE},
        Stage.STOPPING: {Timer.GRACE},
        Stage.BACKOFF: {Timer.BACKOFF},
    }
    due = step(life, TimerFired(life.incarnation, timer), Context(SERVICE, 100.0))
    assert (due != (life, ())) is (timer in meant.get(life.stage, set()))


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
    extended = {effect.timer for effect in found if isinstance(effect, effects.Extend)}
    assert extended == {Timer.STARTUP, Timer.READINESS}


def test_every_effect_is_performed_by_the_actor() -> None:
    from bundlevisor.actors.service_effects import PERFORM

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
