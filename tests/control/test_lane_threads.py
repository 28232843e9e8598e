"""A lane takes as many requests as it says, however fast they come."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bundlevisor.control.http import lane_threads
from bundlevisor.control.http.lane_threads import Dispatcher, LaneThreads, Offer, Task
from bundlevisor.control.wire.lanes import Lane
from tests.waiting import wait_until

MOST = 64


class Request:
    refused: Lane | None = None

    def __init__(self) -> None:
        self.began = threading.Event()

    def lane(self) -> Lane:
        return Lane.WAIT

    def service(self) -> None:
        self.began.set()

    def give_up(self) -> None:
        raise AssertionError("it has been answered")

    def cancel(self) -> None:
        raise AssertionError("a lane that goes on cancels nothing")


class HeldLane(LaneThreads):
    """Its requests are answered once the event is set."""

    def __init__(self) -> None:
        self.answer = threading.Event()
        self._idents: set[int] = set()
        super().__init__(MOST, refuses=True, run=self._hold)

    def _hold(self, task: Task) -> None:
        self._idents.add(threading.get_ident())
        task.service()
        self.answer.wait(60)

    def threads(self) -> int:
        return len(self._idents & sys._current_frames().keys())


@contextmanager
def held_lane() -> Iterator[tuple[HeldLane, threading.Event]]:
    lane = HeldLane()
    try:
        yield lane, lane.answer
    finally:
        lane.answer.set()
        lane.close()
        wait_until(lambda: lane.threads() == 0, what="end of the lane's threads")


def test_a_burst_is_taken_to_the_last_place_before_a_thread_has_begun() -> None:
    with held_lane() as (lane, _):
        burst = [Request() for _ in range(MOST)]
        assert {lane.offer(request) for request in burst} == {Offer.TAKEN}
        assert lane.offer(Request()) is Offer.FULL
        for request in burst:
            assert request.began.wait(30)


def test_an_answered_request_frees_its_place_and_its_thread_takes_the_next() -> None:
    with held_lane() as (lane, answer):
        for _ in range(MOST):
            assert lane.offer(Request()) is Offer.TAKEN
        assert lane.offer(Request()) is Offer.FULL
        answer.set()
        late = Request()
        wait_until(lambda: lane.offer(late) is Offer.TAKEN, what="a place is free again")
        assert late.began.wait(30)
        assert lane.threads() <= MOST


def test_a_thread_that_has_not_the_memory_to_go_on_is_counted_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    died: list[object] = []

    def short(task: Task) -> None:
        if not died:
            raise MemoryError
        task.service()

    monkeypatch.setattr(sys, "unraisablehook", died.append)
    lane = LaneThreads(1, refuses=True, run=short)
    assert lane.offer(Request()) is Offer.TAKEN
    wait_until(lambda: died, what="the end of the thread")
    later = Request()
    assert lane.offer(later) is Offer.TAKEN
    assert later.began.wait(30)
    lane.close()


@contextmanager
def no_more_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def refuse(_run: object) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as limit:
        limit.setattr(lane_threads, "start_thread", refuse)
        yield


def test_a_lane_to_which_the_system_gives_no_thread_takes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with held_lane() as (lane, _):
        with no_more_threads(monkeypatch):
            assert lane.offer(Request()) is Offer.NO_THREAD
        later = Request()
        assert lane.offer(later) is Offer.TAKEN
        assert later.began.wait(30)


def test_no_request_queues_behind_one_that_waits_for_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with held_lane() as (lane, _):
        assert lane.offer(first := Request()) is Offer.TAKEN
        assert first.began.wait(30)
        with no_more_threads(monkeypatch):
            assert lane.offer(Request()) is Offer.NO_THREAD


def test_what_gets_no_thread_is_not_said_to_be_one_wait_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fault(what: str, error: BaseException) -> None:
        raise AssertionError(what) from error

    class Plain(Request):
        def lane(self) -> Lane:
            return Lane.QUICK

    dispatcher = Dispatcher(fault)
    try:
        quick, waiting = Plain(), Request()
        assert dispatcher.add_task(quick)
        assert quick.began.wait(30)
        with no_more_threads(monkeypatch):
            assert not dispatcher.add_task(waiting)
        assert waiting.refused is None
        assert not waiting.began.is_set()
    finally:
        dispatcher.shutdown()
