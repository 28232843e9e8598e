from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace

import pytest

from bundlevisor.actors.logs.calls_put_off import CallsPutOff
from bundlevisor.actors.loop.clock import SYSTEM, Clock
from bundlevisor.actors.loop.loop_actor import LoopActor
from bundlevisor.actors.loop.reactor import GIVE_UP_AFTER, Loop
from tests import absent
from tests.waiting import wait_until

PATIENCE = 20.0

Reports = list[tuple[str, BaseException]]


def result_of(loop: Loop, call: Callable[[], object]) -> object:
    box: list[object] = []
    loop.call_soon(lambda: box.append(call()))
    wait_until(lambda: box, PATIENCE, "a call on the loop")
    return box[0]


@pytest.fixture
def reports() -> Reports:
    return []


@pytest.fixture
def loop(reports: Reports) -> Iterator[Loop]:
    running = Loop("test", lambda what, error: reports.append((what, error)))
    running.start()
    yield running
    assert running.stop(PATIENCE)


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


def test_timers_come_in_the_order_of_their_moments_and_never_early(loop: Loop) -> None:
    early: list[float] = []
    order: list[float] = []
    start = time.monotonic()
    moments = [start + random.Random(7).random() * 0.3 for _ in range(300)]

    def fire(when: float) -> None:
        if time.monotonic() < when:
            early.append(when)
        order.append(when)

    for when in moments:
        loop.call_at(when, partial(fire, when))
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


def test_a_watch_that_always_raises_is_dropped_instead_of_spinning(
    loop: Loop, reports: Reports
) -> None:
    ours, theirs = socket.socketpair()

    def broken() -> None:
        raise ValueError("on purpose")

    with ours, theirs:
        theirs.send(b"never read")
        result_of(loop, lambda: loop.watch(ours.fileno(), broken))
        wait_until(
            lambda: any(what.endswith(" dropped") for what, _ in reports), PATIENCE, "the drop"
        )
        assert len(reports) == GIVE_UP_AFTER + 1
        assert result_of(loop, lambda: loop.unwatch(ours.fileno())) is False


def test_a_descriptor_can_be_watched_for_both_and_again_and_forgotten(loop: Loop) -> None:
    ours, theirs = socket.socketpair()
    heard: list[str] = []

    def read() -> None:
        heard.append(ours.recv(100).decode())

    def write() -> None:
        heard.append("writable")
        loop.watch(ours.fileno(), read)

    with ours, theirs:
        result_of(loop, lambda: loop.watch(ours.fileno(), None, write))
        wait_until(lambda: heard == ["writable"], PATIENCE, "the write callback")
        theirs.send(b"one")
        wait_until(lambda: heard == ["writable", "one"], PATIENCE, "the read callback")
        assert result_of(loop, lambda: loop.unwatch(ours.fileno())) is True
        theirs.send(b"two")
        result_of(loop, lambda: None)
        result_of(loop, lambda: None)
        assert heard == ["writable", "one"]


def test_a_watch_that_is_taken_away_in_the_same_turn_is_not_called(loop: Loop) -> None:
    pairs = [socket.socketpair() for _ in range(2)]
    called: list[int] = []

    def read(mine: int) -> None:
        called.append(mine)
        for ours, _ in pairs:
            loop.unwatch(ours.fileno())

    def watch_both() -> None:
        for number, (ours, _) in enumerate(pairs):
            loop.watch(ours.fileno(), partial(read, number))

    for _, theirs in pairs:
        theirs.send(b"x")
    result_of(loop, watch_both)
    wait_until(lambda: called, PATIENCE, "one of the callbacks")
    result_of(loop, lambda: None)
    result_of(loop, lambda: None)
    assert len(called) == 1
    for ours, theirs in pairs:
        ours.close()
        theirs.close()


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

    def counting() -> float | None:
        turns.append(time.monotonic())
        return patience()

    loop._patience = counting  # type: ignore[method-assign]
    result_of(loop, lambda: None)
    before = len(turns)
    settled = threading.Event()
    loop.call_at(time.monotonic() + 0.3, settled.set)
    assert settled.wait(PATIENCE)
    assert len(turns) - before < 10


class FakeSleep:
    """Clocks of a machine that can be put to sleep."""

    def __init__(self, runs_asleep: bool) -> None:
        self.asleep = 0.0
        self._runs = runs_asleep
        self.clock = Clock(self.monotonic, lambda: self.asleep, runs_asleep)

    def monotonic(self) -> float:
        return time.monotonic() + (self.asleep if self._runs else 0.0)


@pytest.mark.parametrize("runs_asleep", [False, True])
def test_a_resume_is_told_and_no_timer_counts_the_sleep(runs_asleep: bool) -> None:
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


def test_clocks_that_differ_by_a_little_are_no_resume() -> None:
    machine = FakeSleep(runs_asleep=False)
    slept: list[float] = []
    loop = Loop("test", lambda *_: None, clock=machine.clock)
    loop.hear_of_resume(slept.append)
    loop.start()
    for _ in range(5):
        machine.asleep += 1.5
        result_of(loop, lambda: None)
    assert slept == []
    assert loop.stop(PATIENCE)


def test_the_system_s_clocks_agree_while_the_machine_is_awake() -> None:
    before = SYSTEM.suspended()
    began = time.monotonic()
    wait_until(lambda: time.monotonic() > began + 0.05, PATIENCE, "a little time")
    assert abs(SYSTEM.suspended() - before) < 0.04


@absent.unless(hasattr(os, "pidfd_open"), "pidfd_open(2)")
def test_the_exit_of_a_process_wakes_the_loop(loop: Loop) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    fd = os.pidfd_open(child.pid)
    ended = threading.Event()

    def gone() -> None:
        loop.unwatch(fd)
        ended.set()

    result_of(loop, lambda: loop.watch(fd, gone))
    assert not ended.is_set()
    child.send_signal(signal.SIGKILL)
    assert ended.wait(PATIENCE)
    child.communicate()
    os.close(fd)


def test_a_descriptor_closed_under_its_watch_does_not_end_the_loop(loop: Loop) -> None:
    ours, theirs = socket.socketpair()
    result_of(loop, lambda: loop.watch(ours.fileno(), lambda: None))
    ours.close()
    theirs.close()
    pair = socket.socketpair()
    heard: list[bytes] = []
    result_of(loop, lambda: loop.watch(pair[0].fileno(), lambda: heard.append(pair[0].recv(1))))
    pair[1].send(b"x")
    wait_until(lambda: heard, PATIENCE, "the new socket's byte")
    result_of(loop, lambda: loop.unwatch(pair[0].fileno()))
    for end in pair:
        end.close()


def test_a_broken_descriptor_is_found_and_dropped(
    loop: Loop, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = socket.socketpair()
    number = ours.fileno()
    result_of(loop, lambda: loop.watch(number, lambda: None))
    ours.close()
    theirs.close()
    result_of(loop, loop._drop_broken)
    assert any(f"descriptor {number} dropped" in what for what, _ in reports)
    assert result_of(loop, lambda: loop.unwatch(number)) is False


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
