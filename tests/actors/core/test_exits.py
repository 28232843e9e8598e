"""What a run's end leads to, and what is told of it: by itself, or by somebody's order."""

from __future__ import annotations

import msgspec
import pytest

from bundlevisor.actors.core.effects import Arm, ClearTree, EmitEvent
from bundlevisor.actors.core.life import WAIT_OVER, Context, Life
from bundlevisor.actors.core.lifecycle import step
from bundlevisor.actors.core.messages import (
    ProcessExited,
    StopAnnounced,
    StopService,
    Timer,
    TimerFired,
    TreeEmptied,
)
from bundlevisor.actors.core.report import AfterStop, Stage, StopCause
from tests.actors.core.test_life import READY, SERVICE, STARTING, go

ASKED = go(READY, StopService(AfterStop.STAY))
ANNOUNCED = go(READY, StopAnnounced(1))
CRASH = "loading\nTraceback (most recent call last):\nKeyError: 'db'\n"


@pytest.mark.parametrize(
    ("life", "expected", "by"),
    [
        (STARTING, False, "itself"),
        (READY, False, "itself"),
        (ANNOUNCED, False, "itself"),
        (go(ANNOUNCED, TimerFired(1, Timer.GRACE)), True, "unhealthy"),
        (ASKED, True, "order"),
        (go(STARTING, TimerFired(1, Timer.READINESS)), True, "not ready"),
    ],
)
def test_an_exit_is_told_with_whoever_ended_it(life: Life, expected: bool, by: str) -> None:
    _, effects = step(life, ProcessExited(1, -15), Context(SERVICE, 100.0))
    said = {"exit_code": -15, "error": "killed by SIGTERM", "expected": expected, "by": by}
    assert effects[0] == EmitEvent("service_exit", said)


def test_what_says_that_it_stops_and_does_not_is_not_told_as_killed_by_somebody() -> None:
    killed = go(ANNOUNCED, TimerFired(1, Timer.GRACE), ProcessExited(1, -9), TreeEmptied(1))
    said = "unhealthy: it said that it is stopping, and did not within 5 s"
    assert (killed.stage, killed.cause) == (Stage.WAITING, said)


@pytest.mark.parametrize(
    ("life", "cause", "more"),
    [(READY, "exit 3", False), (STARTING, "exit 3 before it was ready", True)],
)
def test_an_exit_by_itself_ends_the_wait_and_bounds_how_long_the_rest_may_take(
    life: Life, cause: str, more: bool
) -> None:
    after, effects = step(life, ProcessExited(1, 3), Context(SERVICE, 100.0))
    assert after == msgspec.structs.replace(
        life,
        stage=Stage.STOPPING,
        then=AfterStop.RETRY,
        stop_cause=StopCause.EXITED,
        pid=None,
        exit_code=3,
        cause=cause,
        message=cause,
    )
    assert effects[1:] == (
        *((EmitEvent("service_not_ready", {"error": cause}),) * more),
        *WAIT_OVER,
        Arm(Timer.GRACE, SERVICE.stop.timeout_ms / 1000),
        ClearTree(),
    )


def test_what_a_crash_has_written_is_told_with_it_and_kept() -> None:
    after, effects = step(READY, ProcessExited(1, 1, CRASH), Context(SERVICE, 100.0))
    assert isinstance(effects[0], EmitEvent)
    said = effects[0].details
    assert (said["last_lines"], said["reason"]) == (CRASH, "KeyError: 'db'")
    assert said["output"] == after.output == tuple(CRASH.splitlines())
    assert after.cause == "exit 1: KeyError: 'db'"


@pytest.mark.parametrize(
    ("code", "said"),
    [(-9, "INFO two"), (-11, "cannot go on"), (1, "cannot go on"), (0, "cannot go on")],
)
def test_what_somebody_killed_before_it_was_ready_has_said_no_reason(code: int, said: str) -> None:
    written = "cannot go on\nINFO one\nINFO two\n"
    after, _ = step(STARTING, ProcessExited(1, code, written), Context(SERVICE, 100.0))
    assert after.cause.endswith(f" before it was ready: {said}")


def test_nothing_of_a_run_is_kept_when_it_is_gone() -> None:
    assert go(msgspec.structs.replace(ASKED, pid=77), TreeEmptied(1)).pid is None
