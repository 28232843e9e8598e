"""Timers, also of a machine that sleeps."""

from __future__ import annotations

import random
import threading
import time
from functools import partial

import pytest

from bundlevisor.actors.loop.clock import SYSTEM, Clock
from bundlevisor.actors.loop.reactor import Loop
from bundlevisor.actors.loop.timers import FORGIVEN
from tests.actors.loop.on_loop import PATIENCE, result_of
from tests.waiting import wait_until


def test_timers_come_in_the_order_of_their_moments_and_never_early(loop: Loop) -> None:
    early: list[float] = []
    order: list[float] = []
    start = time.monotonic()
    moments = [start + random.Random(7).random() * 0.3 for _ in range(300)]

    def fire(when: float) -> None:
        if time.monotonic() < when:
            early.append(when)
        order.append(when)

    def add_all() -> None:  # on the loop: none of them fires before all are there
        for when in moments:
            loop.call_at(when, partial(fire, when))

    result_of(loop, add_all)
    wait_until(lambda: len(order) == len(moments), PATIENCE, "all the timers")
    assert early == []
    assert order == sorted(order)


def test_a_timer_of_a_loop_that_waits_for_a_later_one_is_not_late(loop: Loop) -> None:
    fired = threading.Event()
    far = loop.call_at(time.monotonic() + 3600, lambda: None)
    loop.call_at(time.monotonic() + 0.01, fired.set)
    assert fired.wait(PATIENCE)
    far.cancel()


def test_a_cancelled_timer_never_fires_and_leaves_the_heap(loop: Loop) -> None:
    fired: list[str] = []
    when = time.monotonic() + 0.05

    def add_and_cancel() -> None:
        for _ in range(10_000):
            timer = loop.call_at(when, lambda: fired.append("cancelled"))
            timer.cancel()
            timer.cancel()

    result_of(loop, add_and_cancel)
    loop.call_at(when + 0.05, lambda: fired.append("kept"))
    wait_until(lambda: fired, PATIENCE, "the timer that was kept")
    assert fired == ["kept"]
    assert len(loop._timers) == 0


def test_cancelled_timers_of_a_far_future_do_not_pile_up(loop: Loop) -> None:
    def churn() -> int:
        for _ in range(20_000):
            loop.call_at(time.monotonic() + 3600, lambda: None).cancel()
        return len(loop._timers)

    held = result_of(loop, churn)
    assert isinstance(held, int)
    assert held < 200


class FakeSleep:
    """Clocks of a machine that can be put to sleep."""

    def __init__(self, runs_asleep: bool) -> None:
        self.asleep = self.seen = 0.0
        self._runs = runs_asleep
        self.clock = Clock(self.monotonic, self._suspended, runs_asleep)

    def monotonic(self) -> float:
        return time.monotonic() + (self.asleep if self._runs else 0.0)

    def _suspended(self) -> float:
        self.seen = self.asleep
        return self.seen


@pytest.mark.parametrize("runs_asleep", [False, True])
def test_a_resume_is_told_and_no_timer_counts_the_sleep(
    monkeypatch: pytest.MonkeyPatch, runs_asleep: bool
) -> None:
    monkeypatch.setattr("bundlevisor.actors.loop.reactor.LOOK_EVERY", 0.05)
    machine = FakeSleep(runs_asleep)
    slept: list[float] = []
    fired: list[str] = []
    loop = Loop("test", lambda *_: None, clock=machine.clock)
    loop.hear_of_resume(slept.append)
    loop.start()
    result_of(loop, lambda: None)
    loop.call_at(machine.monotonic() + 600, lambda: fired.append("ten minutes"))
    result_of(loop, lambda: None)
    machine.asleep += 3600.0
    wait_until(lambda: slept, PATIENCE, "the resume")
    result_of(loop, lambda: None)
    assert slept == [3600.0]
    assert fired == []
    assert loop.stop(PATIENCE)


def test_a_timer_that_was_put_off_by_a_sleep_still_fires() -> None:
    machine = FakeSleep(runs_asleep=True)
    fired = threading.Event()
    loop = Loop("test", lambda *_: None, clock=machine.clock)
    loop.start()
    loop.call_at(machine.monotonic() + 0.2, fired.set)
    result_of(loop, lambda: None)
    machine.asleep += 3600.0
    assert fired.wait(PATIENCE)
    assert loop.stop(PATIENCE)


@pytest.mark.parametrize("within", ["a call", "a wait"])
def test_no_timer_counts_time_in_which_the_loop_was_held_up(within: str) -> None:
    """Deadlines were over by then, and nobody had looked for what they are about."""
    held, said = [0.0], list[str]()
    clock = Clock(lambda: time.monotonic() + held[0], lambda: 0.0, runs_asleep=False)
    loop = Loop("test", lambda *_: None, clock=clock)
    select, waits = loop._selector.select, [False]

    def waiting(timeout: float | None = None) -> object:
        ready = select(timeout)
        held[0] += 3600.0 if waits[0] else 0.0
        waits[0] = False
        return ready

    def begin() -> None:
        deadline = loop.call_at(clock.monotonic() + 2 * PATIENCE, lambda: said.append("too late"))

        def answered() -> None:
            deadline.cancel()
            said.append("in time")

        loop.call_at(clock.monotonic(), lambda: loop.call_soon(lambda: loop.call_soon(answered)))
        if within == "a call":
            held[0] += 3600.0
        else:
            waits[0] = True

    loop._selector.select = waiting  # type: ignore[method-assign, assignment]
    loop.start()
    loop.call_soon(begin)
    wait_until(lambda: said, PATIENCE, "an end of it")
    assert loop.stop(PATIENCE)
    assert said == ["in time"]


def test_a_loop_that_is_held_up_in_every_wait_calls_its_timers_in_the_end() -> None:
    waits, called_after = [0], list[int]()
    clock = Clock(lambda: time.monotonic() + waits[0], lambda: 0.0, runs_asleep=False)
    loop = Loop("test", lambda *_: None, clock=clock)
    select = loop._selector.select

    def waiting(timeout: float | None = None) -> object:
        waits[0] += 1
        return select(timeout)

    loop._selector.select = waiting  # type: ignore[method-assign, assignment]
    loop.start()
    result_of(
        loop, lambda: loop.call_at(clock.monotonic() + 0.1, lambda: called_after.append(waits[0]))
    )
    begun = waits[0]
    wait_until(lambda: called_after, PATIENCE, "the call")
    assert loop.stop(PATIENCE)
    assert called_after[0] - begun <= FORGIVEN + 4


def test_clocks_that_differ_by_a_little_are_no_resume() -> None:
    machine = FakeSleep(runs_asleep=False)
    slept: list[float] = []
    loop = Loop("test", lambda *_: None, clock=machine.clock)
    loop.hear_of_resume(slept.append)
    loop.start()
    for _ in range(5):
        machine.asleep += 1.5
        loop.call_soon(lambda: None)
        wait_until(lambda: machine.seen == machine.asleep, PATIENCE, "a look at the clocks")
    result_of(loop, lambda: None)
    assert slept == []
    assert loop.stop(PATIENCE)


def test_the_system_s_clocks_agree_while_the_machine_is_awake() -> None:
    def asleep() -> float:
        """An interruption between the two clocks that it reads makes it less."""
        return max(SYSTEM.suspended() for _ in range(100))

    before, began = asleep(), time.monotonic()
    wait_until(lambda: time.monotonic() > began + 0.05, PATIENCE, "a little time")
    assert abs(asleep() - before) < 0.04
