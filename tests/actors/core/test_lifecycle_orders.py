"""What a service does when it is told to start, stop, restart or give up, whatever it was at."""

from __future__ import annotations

import msgspec
import pytest

from bundlevisor.actors.core import effects
from bundlevisor.actors.core.life import Context, Life
from bundlevisor.actors.core.lifecycle import step
from bundlevisor.actors.core.messages import (
    BecameReady,
    FailService,
    KillService,
    Launched,
    Message,
    PortsLost,
    Prepared,
    ProbeAnswered,
    ProcessExited,
    ResetFailures,
    StartService,
    StopService,
    Timer,
    TimerFired,
    TreeEmptied,
)
from bundlevisor.actors.core.report import AfterStop, Stage, StopCause
from bundlevisor.actors.launch.inputs import StartInputs
from tests.actors.core.lives import (
    BACKOFF,
    FAILED,
    READY,
    SERVICE,
    STARTING,
    STOPPED,
    STOPPING,
    UNHEALTHY,
    WAITING,
    effects_of,
    go,
    start,
)


def test_a_stop_during_the_start_is_carried_out_when_the_tree_is_empty() -> None:
    life = go(WAITING, start(), StopService(AfterStop.STAY), Prepared(1))
    assert life.stage is Stage.STOPPED


def test_a_stop_is_sticky_whatever_was_under_way() -> None:
    life = go(READY, ProcessExited(1, 1), StopService(AfterStop.STAY), TreeEmptied(1))
    assert life.stage is Stage.STOPPED
    assert go(life, TimerFired(1, Timer.BACKOFF), BecameReady(1)).stage is Stage.STOPPED


@pytest.mark.parametrize(
    ("orders", "stage"),
    [
        ([StopService(AfterStop.STAY), StopService(AfterStop.WAIT)], Stage.WAITING),
        ([StopService(AfterStop.WAIT), StopService(AfterStop.STAY)], Stage.STOPPED),
        ([StopService(AfterStop.STAY), ResetFailures()], Stage.WAITING),
        ([ResetFailures(), StopService(AfterStop.STAY)], Stage.STOPPED),
        ([StopService(AfterStop.WAIT), KillService()], Stage.STOPPED),
    ],
)
@pytest.mark.parametrize("exits_after", [0, 1, 2])
def test_the_last_order_says_what_follows_a_stop(
    orders: list[Message], exits_after: int, stage: Stage
) -> None:
    told = [*orders[:exits_after], ProcessExited(1, 1), *orders[exits_after:]]
    life = go(READY, *told, TreeEmptied(1))
    assert life.stage is stage
    assert life.history.total == 0


def test_a_report_says_which_instruction_was_heard_last_also_one_that_changed_nothing() -> None:
    assert go(READY, StopService(AfterStop.STAY, number=4)).heard == 4
    assert go(STOPPED, StartService(7, StartInputs({}), number=5)).heard == 5
    assert go(READY, FailService("no", number=6)) == msgspec.structs.replace(READY, heard=6)


def test_an_exit_while_it_stops_is_noted_and_the_tree_is_looked_at_again() -> None:
    life, found = step(STOPPING, ProcessExited(1, 3), Context(SERVICE, 100.0))
    assert (life.stage, life.then, life.pid, life.exit_code) == (
        Stage.STOPPING,
        AfterStop.STAY,
        None,
        3,
    )
    assert [type(effect).__name__ for effect in found] == ["EmitEvent", "ClearTree"]
    assert step(STOPPED, ProcessExited(1, 3), Context(SERVICE, 100.0)) == (STOPPED, ())


def test_a_port_that_is_lost_while_it_stops_counts_only_where_a_start_has_failed() -> None:
    lost = PortsLost(1, ("http",))
    failing = go(STARTING, ProcessExited(1, 1))
    moving, found = step(failing, lost, Context(SERVICE, 100.0))
    assert moving.stage is Stage.WAITING
    assert effects.ReportPorts(("http",)) in found
    assert {one.timer for one in found if isinstance(one, effects.Disarm)} == {
        Timer.STARTUP,
        Timer.GRACE,
        Timer.TREE,
    }
    context = Context(SERVICE, 100.0)
    for life in (READY, BACKOFF, STOPPED):
        assert step(life, lost, context) == (life, ())
    for life in (STOPPING, go(failing, StopService(AfterStop.STAY))):
        assert step(life, lost, context) == step(life, TreeEmptied(1), context)


def test_a_stop_tells_why_also_where_the_service_had_failed_on_its_own() -> None:
    life = go(READY, ProcessExited(1, 1), StopService(AfterStop.STAY, "by command"), TreeEmptied(1))
    assert (life.stage, life.message) == (Stage.STOPPED, "by command")


def test_a_start_command_while_it_stops_brings_it_back_when_it_has_stopped() -> None:
    life = go(STOPPING, ResetFailures(), ProcessExited(1, 0), TreeEmptied(1))
    assert life.stage is Stage.WAITING


def test_a_second_start_for_the_same_incarnation_changes_nothing() -> None:
    life = go(BACKOFF, TimerFired(1, Timer.BACKOFF), start(0))
    assert life.stage is Stage.WAITING


def test_a_stop_that_comes_while_it_is_spawned_is_carried_out_then() -> None:
    told = go(WAITING, start(), Prepared(1), StopService(AfterStop.STAY))
    assert go(told, Launched(1, 77)).pid == 77
    assert effects_of(told, Launched(1, 77)) == ["EmitEvent", "Arm GRACE", "EndTree"]
    launched = effects_of(go(WAITING, start(), Prepared(1)), Launched(1, 77))
    assert launched == ["EmitEvent", "Arm READINESS", "Arm OBSTACLE", "AwaitReadiness"]


def test_what_is_ill_is_asked_to_end_and_has_its_grace() -> None:
    ill = go(READY, *[ProbeAnswered(1, "HTTP 500")] * 2)
    assert effects_of(ill, ProbeAnswered(1, "HTTP 500")) == ["EmitEvent", "Arm GRACE", "EndTree"]
    cause = "unhealthy: HTTP 500"
    assert (UNHEALTHY.then, UNHEALTHY.cause, UNHEALTHY.message) == (AfterStop.RETRY, cause, cause)
    assert UNHEALTHY.stop_cause is StopCause.UNHEALTHY
    overruled = go(UNHEALTHY, StopService(AfterStop.STAY))
    assert (overruled.stop_cause, overruled.message, overruled.cause) == (
        StopCause.ORDERED,
        "stopping",
        "stopped",
    )


def test_the_end_of_a_stop_leaves_no_timer_and_no_port() -> None:
    assert effects_of(STOPPING, TreeEmptied(1)) == [
        "Disarm GRACE",
        "Disarm TREE",
        "Disarm BACKOFF",
        "ReleasePorts",
    ]
    assert (STOPPED.pid, STOPPED.message) == (None, "stopped")
    assert go(BACKOFF, StopService(AfterStop.STAY)).message == "stopped"


@pytest.mark.parametrize(
    ("life", "stage"),
    [
        (BACKOFF, Stage.WAITING),
        (WAITING, Stage.WAITING),
        (FAILED, Stage.FAILED),
        (STOPPED, Stage.STOPPED),
    ],
)
def test_a_restart_with_others_ends_a_pause_and_wakes_nothing_that_rests(
    life: Life, stage: Stage
) -> None:
    after = go(life, StopService(AfterStop.WAIT, "with db"))
    assert after.stage is stage
    assert after.message == ("" if stage is Stage.WAITING else life.message)


def test_a_start_begins_with_nothing_of_the_run_before() -> None:
    again = go(READY, ProcessExited(1, 1), TreeEmptied(1), start(1))
    assert (again.stage, again.incarnation, again.message) == (Stage.STARTING, 2, "starting")
    assert (again.then, again.pid, again.ready_at) == (AfterStop.RETRY, None, None)
    assert (again.consecutive_failures, again.cause) == (0, "")
    ready = go(again, Prepared(2), Launched(2, 78), BecameReady(2), now=200.0)
    assert (ready.pid, ready.ready_at, ready.message) == (78, 200.0, "ready")


def test_failures_that_are_reset_are_still_counted() -> None:
    reset = go(BACKOFF, ResetFailures())
    assert (reset.history.total, reset.history.attempt, reset.history.recent) == (1, 0, ())


def test_what_gives_up_has_no_process_and_says_why() -> None:
    assert (FAILED.pid, FAILED.message) == (None, "exit 1 before it was ready")
    moving = go(STARTING, ProcessExited(1, 1), PortsLost(1, ("http", "admin")))
    assert (moving.pid, moving.message) == (None, "port http, admin is taken; choosing another")
