"""What a service says of itself: as datagrams, and in its life."""

from __future__ import annotations

from typing import Any

import pytest

from bundlevisor.actors.core import effects
from bundlevisor.actors.core.life import Context, Life
from bundlevisor.actors.core.lifecycle import step
from bundlevisor.actors.core.messages import (
    BecameReady,
    Launched,
    Message,
    Prepared,
    ProcessExited,
    ProgressMade,
    ServiceSaid,
    SignOfLife,
    StartService,
    StopAnnounced,
    StopService,
    TimeExtended,
    Timer,
    TimerFired,
    TreeEmptied,
    WatchdogSet,
)
from bundlevisor.actors.core.report import AfterStop, Doing, Stage, StopCause
from bundlevisor.actors.launch.inputs import StartInputs
from bundlevisor.actors.probes.sd_notify import NOTHING, Notification, parse
from bundlevisor.manifest.format.probe import Readiness
from bundlevisor.manifest.format.schema import Service

SERVICE = Service(id="api", readiness=Readiness(type="notify", watchdog_ms=2000))
PLAIN = Service(id="api", readiness=Readiness(type="notify"))


@pytest.mark.parametrize(
    ("datagram", "said"),
    [
        (b"READY=1", Notification(ready=True)),
        (b"READY=1\n", Notification(ready=True)),
        (b"STATUS=a=b\nREADY=1", Notification(ready=True, status=b"a=b")),
        (b"STATUS=one\nSTATUS=two", Notification(status=b"two")),
        (b"STATUS=", Notification(status=b"")),
        (b"EXTEND_TIMEOUT_USEC=1500000", Notification(extend_s=1.5)),
        (b"WATCHDOG=1", Notification(alive=True)),
        (b"WATCHDOG=trigger", Notification(unwell=True)),
        (b"WATCHDOG_USEC=500000", Notification(watchdog_s=0.5)),
        (b"WATCHDOG_USEC=0", Notification(watchdog_s=0.0)),
        (b"STOPPING=1", Notification(stopping=True)),
        (b"EXTEND_TIMEOUT_USEC=99999999999999999999", Notification(extend_s=365 * 86400.0)),
        *((one, NOTHING) for one in (b"", b"READY=0", b"READY", b"ready=1", b"MAINPID=1")),
        *((b"EXTEND_TIMEOUT_USEC=" + one, NOTHING) for one in (b"", b"-1", b"x", b"1.5")),
        (b"BARRIER=1", NOTHING),
    ],
)
def test_a_datagram_says_what_sd_notify_defines(datagram: bytes, said: Notification) -> None:
    assert parse(datagram) == said


def go(life: Life, *events: Message, service: Service = SERVICE) -> Life:
    for event in events:
        life, _ = step(life, event, Context(service, 100.0))
    return life


def due(life: Life, event: Message, service: Service = SERVICE) -> list[effects.Effect]:
    return list(step(life, event, Context(service, 100.0))[1])


PREPARING = go(Life(), StartService(0, StartInputs({})))
STARTING = go(PREPARING, Prepared(1), Launched(1, 77))
READY = go(STARTING, BecameReady(1))
STOPPING = go(READY, StopService(AfterStop.STAY))


def test_what_a_service_says_is_shown_instead_of_what_is_in_its_way() -> None:
    told = go(STARTING, ServiceSaid(1, "loading", 0.4))
    assert (told.message, told.doing) == ("starting: loading (40%)", Doing("", "loading", 0.4))
    later, _ = step(told, TimerFired(1, Timer.OBSTACLE), Context(SERVICE, 1.0, trouble="no port"))
    assert later.message == "starting: loading (40%)"
    silent = go(told, ServiceSaid(1))
    later, _ = step(silent, TimerFired(1, Timer.OBSTACLE), Context(SERVICE, 1.0, trouble="no port"))
    assert later.message == "starting: no port"


def test_a_ready_service_has_a_status_and_no_fraction() -> None:
    assert READY.doing == Doing()
    told = go(READY, ServiceSaid(1, "12 clients"))
    assert told.message == "ready: 12 clients"
    assert go(told, ServiceSaid(1, "job", 0.5)) == told
    assert go(told, ServiceSaid(1)).message == "ready"


def test_a_service_that_stops_has_nothing_to_say_any_more() -> None:
    for event in (ServiceSaid(1, "x"), SignOfLife(1, "bad"), WatchdogSet(1, 5.0), StopAnnounced(1)):
        assert step(STOPPING, event, Context(SERVICE, 100.0)) == (STOPPING, ())


def test_words_about_a_preparation_that_come_late_are_passed_over() -> None:
    busy = go(PREPARING, ProgressMade(1, "migration 2", "migration"))
    assert busy.doing == Doing("migration", "migration 2")
    prepared = go(busy, Prepared(1))
    assert (prepared.doing, prepared.message) == (Doing(), "starting")
    assert go(STARTING, ProgressMade(1, "migration 2", "migration")) == STARTING


@pytest.mark.parametrize(
    ("life", "timers"),
    [
        (STARTING, {Timer.STARTUP, Timer.READINESS}),
        (STOPPING, {Timer.GRACE}),
        (READY, set()),
        (Life(incarnation=1), set()),
    ],
)
def test_more_time_is_for_what_it_is_at(life: Life, timers: set[Timer]) -> None:
    found: list[Any] = due(life, TimeExtended(1, 9.0))
    assert {(one.timer, one.seconds) for one in found} == {(timer, 9.0) for timer in timers}
    assert all(isinstance(one, effects.Extend) for one in found)


def test_the_watchdog_begins_with_readiness_and_is_fed() -> None:
    armed = effects.Arm(Timer.WATCHDOG, 2.0)
    assert armed in due(STARTING, BecameReady(1))
    assert due(STARTING, SignOfLife(1)) == []
    assert due(READY, SignOfLife(1)) == [armed]
    assert not any(getattr(one, "timer", None) is Timer.WATCHDOG for one in of_plain_service())


def of_plain_service() -> list[effects.Effect]:
    life = go(Life(), StartService(0, StartInputs({})), Prepared(1), Launched(1, 7), service=PLAIN)
    ready = go(life, BecameReady(1), service=PLAIN)
    return due(life, BecameReady(1), PLAIN) + [
        one for one in due(ready, SignOfLife(1), PLAIN) if isinstance(one, effects.Arm)
    ]


def test_a_service_sets_its_own_watchdog() -> None:
    longer = go(READY, WatchdogSet(1, 30.0))
    assert due(longer, SignOfLife(1)) == [effects.Arm(Timer.WATCHDOG, 30.0)]
    assert due(READY, WatchdogSet(1, 0.0)) == [effects.Disarm(Timer.WATCHDOG)]
    off = go(READY, WatchdogSet(1, 0.0))
    assert go(off, TimerFired(1, Timer.WATCHDOG)) == off


@pytest.mark.parametrize(
    ("event", "cause"),
    [
        (TimerFired(1, Timer.WATCHDOG), "unhealthy: no sign of life within 2 s"),
        (SignOfLife(1, "it says so"), "unhealthy: it says so"),
    ],
)
def test_a_service_without_a_sign_of_life_is_ended_and_started_again(
    event: Message, cause: str
) -> None:
    life = go(READY, event)
    assert (life.stage, life.then, life.stop_cause) == (
        Stage.STOPPING,
        AfterStop.RETRY,
        StopCause.UNHEALTHY,
    )
    assert life.message == cause
    assert effects.EndTree() in due(READY, event)
    assert go(STARTING, TimerFired(1, Timer.WATCHDOG)) == STARTING


def test_a_stop_that_a_service_announces_is_its_own() -> None:
    ending = go(READY, StopAnnounced(1))
    assert (ending.stage, ending.then) == (Stage.STOPPING, AfterStop.RETRY)
    told = due(READY, StopAnnounced(1))
    assert effects.Arm(Timer.GRACE, 5.0) in told
    assert effects.EndTree() not in told
    gone = due(ending, ProcessExited(1, 3))
    notes = [one.details for one in gone if isinstance(one, effects.EmitEvent)]
    assert [(note["expected"], note["by"]) for note in notes] == [(False, "itself")]
    after = go(ending, ProcessExited(1, 3), TreeEmptied(1))
    assert (after.stage, after.cause) == (Stage.WAITING, "exit 3")


def test_a_clean_end_that_was_announced_is_a_clean_end() -> None:
    ended = go(READY, StopAnnounced(1), ProcessExited(1, 0), TreeEmptied(1))
    assert ended.stage is Stage.STOPPED


def test_who_is_told_to_stop_meanwhile_does() -> None:
    told = go(READY, StopAnnounced(1), StopService(AfterStop.STAY, "asked to"))
    assert go(told, ProcessExited(1, 3), TreeEmptied(1)).stage is Stage.STOPPED
