"""Calls that the loop makes: their order, their errors, its end, and those that may wait."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace

from bundlevisor.actors.logs.calls_put_off import CallsPutOff
from bundlevisor.actors.loop.clock import Clock
from bundlevisor.actors.loop.loop_actor import LoopActor
from bundlevisor.actors.loop.reactor import Loop
from tests.actors.loop.on_loop import PATIENCE, Reports, result_of
from tests.waiting import wait_until


def test_calls_from_many_threads_run_on_the_loop_in_each_thread_s_order(loop: Loop) -> None:
    seen: list[tuple[int, int]] = []
    where: set[int | None] = set()

    def hand_over(who: int) -> None:
        for number in range(500):
            loop.call_soon(partial(seen.append, (who, number)))
        loop.call_soon(lambda: where.add(threading.get_ident()))

    threads = [threading.Thread(target=hand_over, args=(who,)) for who in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_until(lambda: len(seen) == 4000, PATIENCE, "all the calls")
    for who in range(8):
        assert [number for by, number in seen if by == who] == list(range(500))
    wait_until(lambda: where == {loop.ident}, PATIENCE, "the thread's identity")


def test_a_callback_that_raises_is_reported_and_the_loop_lives(
    loop: Loop, reports: Reports
) -> None:
    def broken() -> None:
        raise ValueError("on purpose")

    after: list[str] = []
    loop.call_soon(broken)
    loop.call_at(time.monotonic(), broken)
    loop.call_soon(lambda: after.append("alive"))
    wait_until(lambda: after and len(reports) == 2, PATIENCE, "both reports")
    assert all("broken" in what and str(error) == "on purpose" for what, error in reports)


def test_a_report_that_fails_does_not_end_the_loop() -> None:
    def report(what: str, error: BaseException) -> None:
        raise BrokenPipeError(what)

    def broken() -> None:
        raise ValueError("on purpose")

    after: list[str] = []
    loop = Loop("test", report)
    loop.start()
    loop.call_soon(broken)
    loop.call_soon(lambda: after.append("alive"))
    wait_until(lambda: after, PATIENCE, "the next call")
    assert loop.stop(PATIENCE)


def test_a_callback_that_calls_soon_for_ever_does_not_starve_timers_and_sockets(
    loop: Loop,
) -> None:
    stop = threading.Event()
    heard = threading.Event()
    fired = threading.Event()
    ours, theirs = socket.socketpair()

    def again() -> None:
        if not stop.is_set():
            loop.call_soon(again)

    with ours, theirs:
        loop.call_soon(again)
        result_of(loop, lambda: loop.watch(ours.fileno(), heard.set))
        loop.call_at(time.monotonic() + 0.01, fired.set)
        theirs.send(b"x")
        assert heard.wait(PATIENCE)
        assert fired.wait(PATIENCE)
        stop.set()
        result_of(loop, lambda: loop.unwatch(ours.fileno()))


def test_stop_runs_what_was_handed_over_before_it_and_no_timer() -> None:
    seen: list[str] = []
    loop = Loop("test", lambda *_: None)
    loop.start()
    loop.call_at(time.monotonic() + 3600, lambda: seen.append("timer"))
    loop.call_soon(lambda: seen.append("call"))
    assert loop.stop(PATIENCE)
    assert seen == ["call"]
    loop.call_soon(lambda: seen.append("late"))
    assert loop.stop(PATIENCE)
    assert seen == ["call"]


def test_stop_on_its_own_thread_does_not_deadlock() -> None:
    loop = Loop("test", lambda *_: None)
    loop.start()
    loop.call_soon(loop.stop)
    loop.join(PATIENCE)
    assert not loop.is_alive()


def test_stop_of_a_loop_with_a_stuck_callback_is_bounded() -> None:
    release = threading.Event()
    loop = Loop("test", lambda *_: None)
    loop.start()
    loop.call_soon(lambda: release.wait(PATIENCE))
    assert loop.stop(0.05) is False
    release.set()
    assert loop.stop(PATIENCE)


def test_a_loop_that_never_started_can_be_stopped() -> None:
    assert Loop("test", lambda *_: None).stop()


def test_an_idle_loop_uses_no_processor_time(loop: Loop) -> None:
    turns: list[float] = []
    patience = loop._patience

    def counting(now: float) -> float | None:
        turns.append(now)
        return patience(now)

    loop._patience = counting  # type: ignore[method-assign]
    result_of(loop, lambda: None)
    before = len(turns)
    settled = threading.Event()
    loop.call_at(time.monotonic() + 0.3, settled.set)
    assert settled.wait(PATIENCE)
    assert len(turns) - before < 10


class Handed:
    """A clock that moves only when it is told to."""

    now = 0.0

    def read(self) -> float:
        return self.now


class Dawdling(LoopActor):
    """Takes as many seconds of that clock as a message says."""

    def __init__(self, loop: Loop, clock: Handed) -> None:
        super().__init__(loop)
        self._clock = clock

    def __str__(self) -> str:
        return "service 'slow'"

    def on_receive(self, message: float) -> None:
        self._clock.now += message


def test_a_turn_that_takes_long_is_told_of_with_what_it_was() -> None:
    clock, told = Handed(), list[tuple[str, float]]()
    loop = Loop(
        "test",
        lambda *_: None,
        clock=Clock(clock.read, lambda: 0.0, runs_asleep=False),
    )
    loop.hear_of_slow(lambda what, seconds: told.append((what, round(seconds, 3))))
    loop.start()
    actor = Dawdling.start(loop, clock)
    for seconds in (0.09, 0.25, 0.0):
        actor.ask(seconds)
    actor.stop()
    assert loop.stop(PATIENCE)
    assert told == [("service 'slow', float", 0.25)]


def test_an_idle_call_waits_for_all_else_and_is_the_only_one_of_its_turn(loop: Loop) -> None:
    order: list[str] = []

    def begin() -> None:
        for name in ("first", "second"):
            loop.call_idle(partial(idle, name))
        loop.call_soon(lambda: calls(3))

    def calls(left: int) -> None:
        order.append("call")
        if left:
            loop.call_soon(lambda: calls(left - 1))

    def idle(name: str) -> None:
        order.append(name)
        loop.call_soon(lambda: order.append(f"after {name}"))

    loop.call_soon(begin)
    wait_until(lambda: len(order) == 8, PATIENCE, "all calls")
    assert order == [*["call"] * 4, "first", "after first", "second", "after second"]


def test_an_idle_call_comes_within_its_time_however_busy_the_loop_is() -> None:
    clock, order = Handed(), list[str]()
    loop = Loop("test", lambda *_: None, clock=Clock(clock.read, lambda: 0.0, runs_asleep=False))
    loop.start()

    def busy() -> None:
        clock.now += 0.25
        order.append("call")
        if "whenever" not in order:
            loop.call_soon(busy if "urgent" not in order else lambda: None)

    def begin() -> None:
        loop.call_idle(lambda: order.append("whenever"))
        loop.call_idle(lambda: order.append("urgent"), within=1.0)
        busy()

    loop.call_soon(begin)
    wait_until(lambda: "whenever" in order, PATIENCE, "the idle calls")
    assert loop.stop(PATIENCE)
    assert order[:5] == ["call"] * 4 + ["urgent"]
    assert order[-1] == "whenever"


def test_what_is_put_off_comes_before_what_is_not() -> None:
    order: list[str] = []
    moments: list[Callable[[], object]] = []
    calls = CallsPutOff(SimpleNamespace(call_soon=lambda call: call()), moments.append)
    calls.soon(lambda: order.append("watch"))
    calls.soon(lambda: order.append("attach"))
    assert order == []
    calls.now(lambda: order.append("drain"))
    assert order == ["watch", "attach", "drain"]
    calls.soon(lambda: order.append("again"))
    for moment in moments:
        moment()
    assert order[3:] == ["again"]
