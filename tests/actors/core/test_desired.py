"""What is wanted of one service, and what it is told for it: the tables, entry by entry."""

from __future__ import annotations

import pytest

from bundlevisor.actors.core.desired import (
    Desired,
    instruction,
    is_ending,
    is_settled,
    renewed,
    restarted,
    started,
    stopped,
)
from bundlevisor.actors.core.foreseen import failed, obeyed, starting, taken_over
from bundlevisor.actors.core.messages import Instruction, ResetFailures, StopService
from bundlevisor.actors.core.report import STARTS_AGAIN, AfterStop, Report, Stage, StopCause

DOWN = stopped("stopped by command")
RESTART = Desired(after=3, reason="restarting", resetting=True)
REPEAT = Desired(after=3, reason="a port moved")
STOP, WAIT = (
    StopService(AfterStop.STAY, "stopped by command"),
    StopService(AfterStop.WAIT, "restarting"),
)
MOVED = StopService(AfterStop.WAIT, "a port moved")
FORGIVE = ResetFailures()


def report(stage: str, then: AfterStop = AfterStop.RETRY, incarnation: int = 3) -> Report:
    return Report(id="db", stage=Stage(stage), then=then, incarnation=incarnation)


@pytest.mark.parametrize(
    ("wish", "said", "told"),
    [
        (DOWN, report("ready"), STOP),
        (DOWN, report("starting"), STOP),
        (DOWN, report("stopping", AfterStop.RETRY), STOP),
        (DOWN, report("stopping", AfterStop.WAIT), STOP),
        (DOWN, report("stopping", AfterStop.STAY), None),
        (DOWN, report("waiting"), STOP),
        (DOWN, report("backoff"), STOP),
        (DOWN, report("failed"), STOP),
        (DOWN, report("stopped"), None),
        (RESTART, report("ready"), WAIT),
        (RESTART, report("starting"), WAIT),
        (RESTART, report("stopping", AfterStop.STAY), FORGIVE),
        (RESTART, report("stopping", AfterStop.RETRY), FORGIVE),
        (RESTART, report("stopping", AfterStop.WAIT), None),
        (RESTART, report("waiting"), None),
        (RESTART, report("backoff"), FORGIVE),
        (RESTART, report("failed"), FORGIVE),
        (RESTART, report("stopped"), FORGIVE),
        (RESTART, report("ready", incarnation=4), None),
        (RESTART, report("failed", incarnation=4), None),
        (RESTART, report("stopping", AfterStop.RETRY, incarnation=4), None),
        (REPEAT, report("ready"), MOVED),
        (REPEAT, report("stopping", AfterStop.RETRY), MOVED),
        (REPEAT, report("stopping", AfterStop.WAIT), None),
        (REPEAT, report("waiting"), None),
        (REPEAT, report("backoff"), None),
        (REPEAT, report("failed"), None),
        (REPEAT, report("stopped"), None),
    ],
)
def test_a_service_is_told_what_it_does_not_do_already(
    wish: Desired, said: Report, told: Instruction | None
) -> None:
    assert instruction(wish, said) == told
    if told is not None:
        assert instruction(wish, obeyed(told, said)) is None, "told once"


@pytest.mark.parametrize(
    ("before", "said", "by_name", "after"),
    [
        (None, report("ready"), True, None),
        (DOWN, report("ready"), True, None),
        (RESTART, report("ready"), True, RESTART),
        (None, report("stopped"), True, Desired(after=3, resetting=True)),
        (DOWN, report("stopped"), False, Desired(after=3, reason=DOWN.reason, resetting=True)),
        (None, report("failed"), False, Desired(after=3, resetting=True)),
        (None, report("backoff"), True, Desired(after=3, resetting=True)),
        (None, report("backoff"), False, None),
        (REPEAT, report("backoff"), False, REPEAT),
        (None, report("stopping"), True, Desired(after=3, resetting=True)),
        (None, report("stopping"), False, None),
        (REPEAT, report("stopping"), False, REPEAT),
        (DOWN, report("stopping"), False, Desired(after=3, reason=DOWN.reason, resetting=True)),
        (None, report("waiting"), True, None),
        (DOWN, report("waiting"), True, None),
    ],
)
def test_a_start_wakes_what_rests_and_takes_back_a_stop(
    before: Desired | None, said: Report, by_name: bool, after: Desired | None
) -> None:
    assert started(before, said, by_name=by_name) == after


@pytest.mark.parametrize("stage", ["starting", "ready", "stopping"])
def test_a_restart_wants_a_later_run_than_the_present_one(stage: str) -> None:
    assert restarted(report(stage), "restarting") == RESTART


def test_nobodys_failures_are_reset_unless_somebody_asks_for_it() -> None:
    assert renewed(None, report("failed"), "new") is None


@pytest.mark.parametrize(
    ("before", "stage", "resetting", "after"),
    [
        (None, "ready", False, Desired(after=3, reason="new")),
        (None, "stopping", False, Desired(after=3, reason="new")),
        (None, "waiting", False, None),
        (None, "waiting", True, None),
        (None, "failed", False, None),
        (None, "failed", True, Desired(after=3, reason="new", resetting=True)),
        (None, "backoff", False, None),
        (None, "backoff", True, Desired(after=3, reason="new", resetting=True)),
        (None, "stopped", True, None),
        (DOWN, "ready", True, DOWN),
        (DOWN, "failed", True, DOWN),
        (RESTART, "ready", False, Desired(after=3, reason="new", resetting=True)),
        (REPEAT, "failed", False, REPEAT),
    ],
)
def test_what_is_new_repeats_a_run_and_starts_nothing_that_was_stopped(
    before: Desired | None, stage: str, resetting: bool, after: Desired | None
) -> None:
    assert renewed(before, report(stage), "new", resetting=resetting) == after


@pytest.mark.parametrize(
    ("wish", "said", "ending", "settled"),
    [
        (DOWN, report("ready"), True, False),
        (DOWN, report("stopped"), False, False),
        (DOWN, report("ready", incarnation=9), True, False),
        (RESTART, report("ready"), True, False),
        (RESTART, report("waiting"), False, False),
        (RESTART, report("starting", incarnation=4), False, True),
        (RESTART, report("failed", incarnation=4), False, True),
    ],
)
def test_what_is_under_orders_to_end_and_what_is_done(
    wish: Desired, said: Report, ending: bool, settled: bool
) -> None:
    assert is_ending(wish, said) is ending
    assert is_settled(wish, said) is settled


@pytest.mark.parametrize(
    ("told", "stage", "then", "message", "after"),
    [
        (STOP, "ready", AfterStop.STAY, "stopped by command", "stopping"),
        (WAIT, "ready", AfterStop.WAIT, "restarting", "stopping"),
        (STOP, "backoff", AfterStop.STAY, "stopped by command", "stopped"),
        (FORGIVE, "stopping", AfterStop.WAIT, STARTS_AGAIN, "stopping"),
        (FORGIVE, "failed", AfterStop.WAIT, "", "waiting"),
    ],
)
def test_the_picture_is_what_the_service_will_report(
    told: Instruction, stage: str, then: AfterStop, message: str, after: str
) -> None:
    found = obeyed(told, report(stage))
    assert (found.stage, found.then, found.message) == (Stage(after), then, message)
    assert (found.stop_cause, found.ready_at) == (StopCause.ORDERED, None)


def test_a_start_is_seen_at_once_with_its_incarnation() -> None:
    found = starting(report("waiting"), 7.0)
    assert (found.stage, found.incarnation, found.message) == (Stage.STARTING, 4, "starting")


def test_what_runs_does_not_fail_by_being_told() -> None:
    assert failed(report("waiting"), "no port").stage is Stage.FAILED
    assert failed(report("ready"), "no port") == report("ready")


@pytest.mark.parametrize(
    ("stage", "after"),
    [
        ("ready", "stopping"),
        ("waiting", "stopping"),
        ("backoff", "stopping"),
        ("stopped", "stopped"),
        ("failed", "failed"),
    ],
)
def test_the_successor_of_a_broken_actor_ends_what_is_under_way(stage: str, after: str) -> None:
    found = taken_over(report(stage), 5)
    assert found.stage is Stage(after)
    if stage != after:
        assert (found.then, found.stop_cause) == (AfterStop.RETRY, StopCause.BROKEN)
        assert found.incarnation == 5
