"""Steps of a service to the last word: what follows, in which order, and what is told of it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bundlevisor.actors.core import foreseen
from bundlevisor.actors.core.effects import (
    Arm,
    Disarm,
    Effect,
    EmitEvent,
    EndTree,
    Extend,
    KillTree,
    ReleasePorts,
    ReportFailure,
    ReportPorts,
)
from bundlevisor.actors.core.life import WAIT_OVER, Context, Life, readiness_timeout
from bundlevisor.actors.core.lifecycle import step
from bundlevisor.actors.core.messages import (
    FailService,
    KillService,
    LaunchFailed,
    Message,
    PortsLost,
    ProbeAnswered,
    ResetFailures,
    SignOfLife,
    StopAnnounced,
    StopService,
    SystemResumed,
    Timer,
    TimerFired,
    TreeEmptied,
)
from bundlevisor.actors.core.notices import ANNOUNCED
from bundlevisor.actors.core.report import STARTS_AGAIN, AfterStop, Report, Stage, StopCause
from bundlevisor.actors.core.restart import Again, History, after_exit, backoff
from bundlevisor.manifest.format.policy import RestartPolicy
from bundlevisor.manifest.format.probe import Health, Readiness
from bundlevisor.manifest.format.schema import Service
from bundlevisor.manifest.format.secret import SecretGenerator
from bundlevisor.manifest.plan.secrets import generate

SERVICE = Service(id="api", health=Health(type="http", retries=3))
BOUND = 120.0
ASK = (Arm(Timer.GRACE, SERVICE.stop.timeout_ms / 1000), EndTree())
STARTING = Life(stage=Stage.STARTING, incarnation=1, then=AfterStop.RETRY, pid=7)
READY = Life(
    stage=Stage.READY, incarnation=1, then=AfterStop.RETRY, pid=7, ready_at=90.0, watchdog=5.0
)
HISTORY = History((10.0, 99.0), 2, 4)
BEATEN = Life(stage=Stage.FAILED, incarnation=1, message="gave up", cause="exit 1", history=HISTORY)


def unhealthy(error: str, failures: int) -> EmitEvent:
    return EmitEvent("unhealthy", {"error": error, "failures": failures})


@pytest.mark.parametrize(
    ("life", "event", "changes", "effects"),
    [
        (
            READY,
            SignOfLife(1, "tired"),
            {
                "stage": Stage.STOPPING,
                "stop_cause": StopCause.UNHEALTHY,
                "cause": "unhealthy: tired",
                "message": "unhealthy: tired",
            },
            (*WAIT_OVER, Disarm(Timer.WATCHDOG), unhealthy("tired", 1), *ASK),
        ),
        (
            READY,
            StopAnnounced(1),
            {
                "stage": Stage.STOPPING,
                "stop_cause": StopCause.ANNOUNCED,
                "cause": ANNOUNCED,
                "message": ANNOUNCED,
            },
            (*WAIT_OVER, Disarm(Timer.WATCHDOG), ASK[0]),
        ),
        (
            STARTING,
            TimerFired(1, Timer.READINESS),
            {
                "stage": Stage.STOPPING,
                "stop_cause": StopCause.NOT_READY,
                "cause": "not ready within 30 s",
                "message": "not ready within 30 s",
            },
            (*WAIT_OVER, EmitEvent("service_not_ready", {"error": "not ready within 30 s"}), *ASK),
        ),
        (
            msgspec.structs.replace(STARTING, stage=Stage.STOPPING),
            PortsLost(1, ("http", "admin")),
            {
                "stage": Stage.WAITING,
                "pid": None,
                "message": "port http, admin is taken; choosing another",
            },
            (
                *(Disarm(timer) for timer in (Timer.STARTUP, Timer.GRACE, Timer.TREE)),
                ReportPorts(("http", "admin")),
            ),
        ),
        (
            msgspec.structs.replace(STARTING, pid=None),
            LaunchFailed(1, "no file"),
            {
                "stage": Stage.BACKOFF,
                "cause": "no file",
                "message": "no file; pauses 0.1 s before restart 1",
                "history": History((100.0,), 1, 1),
            },
            (
                Disarm(Timer.STARTUP),
                EmitEvent("service_start_failed", {"error": "no file"}),
                EmitEvent("restart", {"reason": "no file", "attempt": 1, "delay_ms": 100.0}),
                ReportFailure("no file"),
                EmitEvent("backoff", {"reason": "no file", "delay_ms": 100}),
                Arm(Timer.BACKOFF, 0.1),
            ),
        ),
        (
            STARTING,
            LaunchFailed(1, "no file", fatal=True),
            {"stage": Stage.FAILED, "cause": "no file", "message": "no file", "pid": None},
            (
                Disarm(Timer.STARTUP),
                EmitEvent("service_start_failed", {"error": "no file"}),
                EmitEvent("gave_up", {"reason": "no file"}),
                ReleasePorts(),
            ),
        ),
        (
            READY,
            ProbeAnswered(1, "HTTP 500"),
            {"consecutive_failures": 1, "message": "health check failed 1 of 3: HTTP 500"},
            (),
        ),
        (
            msgspec.structs.replace(READY, consecutive_failures=2),
            ProbeAnswered(1, "HTTP 500"),
            {
                "stage": Stage.STOPPING,
                "stop_cause": StopCause.UNHEALTHY,
                "cause": "unhealthy: HTTP 500",
                "message": "unhealthy: HTTP 500",
            },
            (unhealthy("HTTP 500", 3), *ASK),
        ),
        (
            msgspec.structs.replace(READY, consecutive_failures=2),
            ProbeAnswered(1, ""),
            {"consecutive_failures": 0, "message": "ready"},
            (),
        ),
        (STARTING, ProbeAnswered(1, "HTTP 500"), {}, ()),
        (
            msgspec.structs.replace(READY, stop_cause=StopCause.EXITED),
            KillService(),
            {"stage": Stage.STOPPING, "then": AfterStop.STAY, "stop_cause": StopCause.ORDERED},
            (*WAIT_OVER, Disarm(Timer.GRACE), KillTree()),
        ),
        (
            BEATEN,
            KillService(),
            {"stage": Stage.STOPPED, "message": "stopped"},
            (Disarm(Timer.BACKOFF), ReleasePorts()),
        ),
        (
            msgspec.structs.replace(READY, stage=Stage.STOPPING),
            TimerFired(1, Timer.GRACE),
            {},
            (EmitEvent("service_killed", {"timeout_ms": SERVICE.stop.timeout_ms}), KillTree()),
        ),
        (
            STARTING,
            SystemResumed(60.0),
            {},
            (Extend(Timer.STARTUP, BOUND), Extend(Timer.READINESS, 30.0)),
        ),
        (
            msgspec.structs.replace(READY, consecutive_failures=2),
            SystemResumed(60.0),
            {"consecutive_failures": 0},
            (),
        ),
        (
            BEATEN,
            ResetFailures(),
            {"stage": Stage.WAITING, "message": "", "cause": "", "history": History(total=4)},
            (Disarm(Timer.BACKOFF),),
        ),
        (
            msgspec.structs.replace(READY, stage=Stage.STOPPING, stop_cause=StopCause.EXITED),
            ResetFailures(),
            {"then": AfterStop.WAIT, "stop_cause": StopCause.ORDERED, "message": STARTS_AGAIN},
            (),
        ),
        (
            Life(stage=Stage.WAITING, pid=7),
            FailService("no port"),
            {"stage": Stage.FAILED, "message": "no port", "pid": None},
            (Disarm(Timer.BACKOFF), EmitEvent("gave_up", {"reason": "no port"}), ReleasePorts()),
        ),
        (
            BEATEN,
            StopService(AfterStop.STAY, "the end"),
            {"stage": Stage.STOPPED, "message": "the end"},
            (Disarm(Timer.BACKOFF), ReleasePorts()),
        ),
    ],
)
def test_a_step(
    life: Life, event: Message, changes: dict[str, Any], effects: tuple[Effect, ...]
) -> None:
    after, found = step(life, event, Context(SERVICE, 100.0))
    assert after == msgspec.structs.replace(life, **changes)
    assert found == effects


def test_a_run_that_was_ready_for_the_period_begins_the_count_anew() -> None:
    ended = msgspec.structs.replace(
        READY, stage=Stage.STOPPING, cause="exit 1", history=History((), 3, 3)
    )
    for now, attempt in ((149.9, 4), (150.0, 1)):
        after, _ = step(ended, TreeEmptied(1), Context(SERVICE, now))
        assert after.history == History((now,), attempt, 4)


def test_a_start_without_a_check_of_health_is_never_unwell() -> None:
    unchecked = Service(id="api")
    assert step(READY, ProbeAnswered(1, "x"), Context(unchecked, 100.0)) == (READY, ())


def test_how_long_readiness_is_waited_for() -> None:
    assert readiness_timeout(SERVICE) == 30.0
    told = Readiness(type="health_success", timeout_ms=1500)
    assert readiness_timeout(Service(id="api", readiness=told)) == 1.5


def test_what_a_report_will_be() -> None:
    report = Report(id="api", stage=Stage.BACKOFF, message="a pause", then=AfterStop.STAY)
    assert foreseen.failed(report, "no port") == msgspec.structs.replace(
        report, stage=Stage.FAILED, message="no port"
    )
    after = foreseen.taken_over(report, 4)
    assert after == msgspec.structs.replace(
        report,
        stage=Stage.STOPPING,
        then=AfterStop.RETRY,
        stop_cause=StopCause.BROKEN,
        message="an error in the runtime",
        incarnation=4,
    )
    unheard = foreseen.starting(msgspec.structs.replace(report, incarnation=4), 5.0)
    assert foreseen.taken_over(unheard, 4).incarnation == 5


def test_a_restart_counts_for_less_than_the_period() -> None:
    once = RestartPolicy(intensity=1, period_ms=60_000)
    again: dict[str, Any] = {"ready_for": None, "clean": False, "cause": "exit 1", "jitter": 0.5}
    assert isinstance(after_exit(once, History((40.0,)), now=100.0, **again), Again)
    assert not isinstance(after_exit(once, History((40.1,)), now=100.0, **again), Again)


def test_pauses_grow_from_the_first_failure_of_what_was_never_ready() -> None:
    policy = RestartPolicy()
    never: dict[str, Any] = {"now": 1.0, "clean": False, "cause": "exit 1", "jitter": 0.5}
    paused = after_exit(policy, History((), 1, 1), ready_for=None, **never)
    assert isinstance(paused, Again)
    assert paused.delay == pytest.approx(0.2)
    assert backoff(policy, 1, True, 1.0) == pytest.approx(0.22)
    assert backoff(policy, 1, True, 0.0) == pytest.approx(0.18)
    assert backoff(policy, 1, False, 0.5) == pytest.approx(0.1)


def test_a_uuid_is_its_octets_with_version_and_variant() -> None:
    made = generate(SecretGenerator(type="uuid"), lambda count: bytes(range(0xF0, 0xF0 + count)))
    assert made == "f0f1f2f3-f4f5-46f7-b8f9-fafbfcfdfeff"
    made = generate(SecretGenerator(type="uuid"), bytes)
    assert made == "00000000-0000-4000-8000-000000000000"
