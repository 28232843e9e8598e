"""The steps of a start to the last word: what is forgotten, what is armed, and what is told."""

from __future__ import annotations

import msgspec
import pytest

from bundlevisor.actors.core.effects import (
    Arm,
    AwaitFailure,
    AwaitReadiness,
    Disarm,
    EmitEvent,
    EndTree,
    Prepare,
)
from bundlevisor.actors.core.life import WAIT_OVER, Context, Life
from bundlevisor.actors.core.lifecycle import OBSTACLE, step
from bundlevisor.actors.core.messages import (
    BecameReady,
    Launched,
    LaunchFailed,
    Message,
    PortsLost,
    Prepared,
    StartService,
    StopService,
    Timer,
    TreeEmptied,
    WaitAgain,
)
from bundlevisor.actors.core.report import AfterStop, Doing, Stage
from bundlevisor.actors.core.restart import History
from bundlevisor.actors.launch.inputs import StartInputs
from bundlevisor.manifest.format.probe import Readiness
from bundlevisor.manifest.format.schema import Service
from tests.actors.core.test_life import BEGUN, SERVICE, STARTING, go

WATCHED = Service(id="api", readiness=Readiness(type="notify", watchdog_ms=2000))
STARTED = EmitEvent("service_start", {"pid": 77})
PREPARED = go(BEGUN, Prepared(1))


def test_a_start_knows_nothing_of_the_run_before_but_its_failures() -> None:
    worn = Life(
        incarnation=3,
        message="restarting: exit 1",
        doing=Doing("assets", "copying", 0.5),
        then=AfterStop.WAIT,
        pid=77,
        exit_code=1,
        ready_at=50.0,
        watchdog=9.0,
        consecutive_failures=2,
        history=History((99.0,), 1, 1),
        cause="exit 1",
        output=("out of memory",),
    )
    started, effects = step(worn, StartService(3, StartInputs({})), Context(WATCHED, 100.0))
    assert started == Life(
        stage=Stage.STARTING,
        incarnation=4,
        message="starting",
        then=AfterStop.RETRY,
        watchdog=2.0,
        history=worn.history,
        output=worn.output,
    )
    assert effects == (Disarm(Timer.BACKOFF), Prepare())


@pytest.mark.parametrize(
    "event", [Prepared(1), TreeEmptied(1), LaunchFailed(1, "no database", fatal=True)]
)
def test_what_has_lost_what_it_needs_is_not_spawned_but_waits_again(event: Message) -> None:
    told, effects = step(BEGUN, WaitAgain(), Context(SERVICE, 100.0))
    assert told == msgspec.structs.replace(BEGUN, then=AfterStop.WAIT)
    assert effects == ()
    waiting, effects = step(told, event, Context(SERVICE, 100.0))
    assert waiting == msgspec.structs.replace(told, stage=Stage.WAITING, message="")
    assert effects == (Disarm(Timer.GRACE), Disarm(Timer.TREE), Disarm(Timer.BACKOFF))
    assert go(waiting, StartService(1, StartInputs({})), Prepared(2)).stage is Stage.STARTING


def test_what_runs_goes_on_when_what_it_needs_is_lost() -> None:
    assert step(STARTING, WaitAgain(), Context(SERVICE, 100.0)) == (STARTING, ())


def test_a_port_that_is_lost_as_well_is_chosen_anew() -> None:
    waiting = go(PREPARED, WaitAgain(), PortsLost(1, ("http",)))
    assert waiting.stage is Stage.WAITING


def test_a_process_is_told_of_and_waited_for() -> None:
    launched, effects = step(PREPARED, Launched(1, 77), Context(SERVICE, 100.0))
    assert launched == msgspec.structs.replace(PREPARED, pid=77)
    waits = (Arm(Timer.READINESS, 30.0), Arm(Timer.OBSTACLE, OBSTACLE))
    assert effects == (STARTED, *waits, AwaitReadiness())


def test_a_process_of_a_start_that_was_stopped_meanwhile_is_told_of_and_ended() -> None:
    stopping = go(PREPARED, StopService(AfterStop.STAY))
    launched, effects = step(stopping, Launched(1, 77), Context(SERVICE, 100.0))
    assert launched == msgspec.structs.replace(stopping, pid=77)
    assert effects == (STARTED, Arm(Timer.GRACE, SERVICE.stop.timeout_ms / 1000), EndTree())


def test_what_is_ready_has_nothing_left_of_its_start() -> None:
    busy = msgspec.structs.replace(
        STARTING,
        doing=Doing("", "loading", 0.5),
        consecutive_failures=1,
        output=("out of memory",),
        watchdog=2.0,
    )
    ready, effects = step(busy, BecameReady(1), Context(WATCHED, 100.0))
    assert ready == msgspec.structs.replace(
        busy,
        stage=Stage.READY,
        message="ready",
        doing=Doing(),
        ready_at=100.0,
        consecutive_failures=0,
        output=(),
    )
    begun = (*WAIT_OVER, AwaitFailure(), EmitEvent("service_ready"))
    assert effects == (*begun, Arm(Timer.WATCHDOG, 2.0))
