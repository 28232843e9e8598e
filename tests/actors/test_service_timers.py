"""Timers of a service that are put off by what it says, or because the machine has slept."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from bundlevisor.actors.core.messages import Message, Timer, TimerFired
from bundlevisor.actors.loop.timers import Timer as LoopTimer
from bundlevisor.actors.service_timers import ServiceTimers

LONG, SHORT = 3600.0, 60.0


class Held:
    """A loop whose timers fire when the test says so."""

    def __init__(self) -> None:
        self.timers: list[LoopTimer] = []

    def call_at(self, when: float, callback: Callable[[], object]) -> LoopTimer:
        self.timers.append(LoopTimer(when, callback))
        return self.timers[-1]

    @property
    def pending(self) -> list[LoopTimer]:
        return [timer for timer in self.timers if not timer.cancelled]

    def fire(self) -> None:
        for timer in self.pending:
            callback = timer.take()
            assert callback
            callback()


@pytest.fixture
def loop() -> Held:
    return Held()


@pytest.fixture
def told() -> list[Message]:
    return []


@pytest.fixture
def timers(loop: Any, told: list[Message]) -> ServiceTimers:
    return ServiceTimers(loop, told.append, lambda then: then())


def test_the_longest_extension_holds(loop: Held, timers: ServiceTimers) -> None:
    timers.arm(Timer.READINESS, SHORT, 1)
    timers.extend(Timer.READINESS, LONG, 1)
    timers.extend(Timer.READINESS, 2 * SHORT, 1)
    timers.extend(Timer.READINESS, SHORT / 2, 1)
    (pending,) = loop.pending
    assert pending.when > time.monotonic() + LONG - SHORT


def test_what_has_fired_cannot_be_put_off(
    loop: Held, timers: ServiceTimers, told: list[Message]
) -> None:
    timers.arm(Timer.GRACE, SHORT, 3)
    loop.fire()
    timers.extend(Timer.GRACE, SHORT, 3)
    loop.fire()
    assert told == [TimerFired(3, Timer.GRACE)]


@pytest.mark.parametrize("begin", ["never", "disarmed"])
def test_what_is_not_set_is_not_set_by_an_extension(
    loop: Held, timers: ServiceTimers, begin: str
) -> None:
    if begin == "disarmed":
        timers.arm(Timer.GRACE, SHORT, 1)
        timers.disarm(Timer.GRACE)
    timers.extend(Timer.GRACE, SHORT, 1)
    assert not loop.pending


def test_a_deadline_is_told_once_it_was_looked_for_what_came_in_time(
    loop: Any, told: list[Message]
) -> None:
    looks: list[Callable[[], object]] = []
    timers = ServiceTimers(loop, told.append, looks.append)
    timers.arm(Timer.GRACE, SHORT, 1)
    timers.arm(Timer.OBSTACLE, SHORT, 1)
    loop.fire()
    assert told == [TimerFired(1, Timer.OBSTACLE)]
    for then in looks:
        then()
    assert told[1:] == [TimerFired(1, Timer.GRACE)]


def test_what_has_fired_stands_until_it_is_set_anew(
    loop: Held, timers: ServiceTimers, told: list[Any]
) -> None:
    """A sign of life before it in the inbox was followed by the end of the service."""
    timers.arm(Timer.WATCHDOG, SHORT, 1)
    loop.fire()
    (fired,) = told
    assert timers.stands(fired)
    timers.arm(Timer.WATCHDOG, SHORT, 1)
    assert not timers.stands(fired)
    timers.disarm(Timer.WATCHDOG)
    assert not timers.stands(fired)
