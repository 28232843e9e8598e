"""The threads of the lanes: started when there is something to do, ended when there is not."""

from __future__ import annotations

import enum
import threading
from collections import deque
from typing import TYPE_CHECKING, Protocol

from bundlevisor.actors.loop.thread_start import start_thread
from bundlevisor.control.wire.lanes import REFUSING, THREADS, Lane

if TYPE_CHECKING:
    from collections.abc import Callable

IDLE_S = 10.0
"""How long a thread without work lives."""


class Offer(enum.Enum):
    """What became of a request that was offered to a lane."""

    TAKEN = "taken"
    FULL = "full"
    """All of its threads are busy, and it lets no request queue."""
    NO_THREAD = "no thread"
    """The system gives no thread to answer with, or the server ends."""


class Task(Protocol):
    """One request, ready to be answered: waitress's channel."""

    refused: Lane | None

    def lane(self) -> Lane:
        """Return the lane that the request belongs to."""

    def service(self) -> None:
        """Answer the request."""

    def give_up(self) -> None:
        """Answering it has failed, and so has the answer that says so."""

    def cancel(self) -> None:
        """Do without the answer: the server ends."""


class LaneThreads:
    """The threads of one lane."""

    def __init__(self, most: int, refuses: bool, run: Callable[[Task], None]) -> None:
        self._most = most
        self._refuses = refuses
        self._run = run
        self._changed = threading.Condition()
        self._waiting: deque[Task] = deque()
        self._threads = 0
        self._busy = 0
        self._closed = False

    def offer(self, task: Task) -> Offer:
        """Take a task, or say why not.

        Where the system gives no further thread, a lane that lets requests queue has those that it
        has answer one after the other; in one that does not they may be busy for a minute.
        """
        with self._changed:
            taken = self._busy + len(self._waiting)
            if self._closed:
                return Offer.NO_THREAD
            if self._refuses and taken >= self._most:
                return Offer.FULL
            self._waiting.append(task)
            if taken < self._threads or self._threads == self._most:
                self._changed.notify()
            elif not self._start_thread() and (self._refuses or not self._threads):
                self._waiting.pop()
                return Offer.NO_THREAD
            return Offer.TAKEN

    def close(self) -> None:
        """Take nothing more, forget what waits, and end the threads when they are done."""
        with self._changed:
            self._closed = True
            for task in self._waiting:
                task.cancel()
            self._waiting.clear()
            self._changed.notify_all()

    def _start_thread(self) -> bool:
        """Start one more; False where the system allows none."""
        try:
            start_thread(self._work)
        except RuntimeError:
            return False
        self._threads += 1
        return True

    def _work(self) -> None:
        try:
            while (task := self._next()) is not None:
                self._answer(task)
        except BaseException:
            with self._changed:
                self._threads -= 1  # no memory to go on with: who comes next has another thread
            raise

    def _answer(self, task: Task) -> None:
        try:
            self._run(task)
        finally:
            with self._changed:
                self._busy -= 1

    def _next(self) -> Task | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed, IDLE_S)
            if self._waiting:
                self._busy += 1
                return self._waiting.popleft()
            self._threads -= 1
            return None


class Dispatcher:
    """Waitress's task dispatcher: gives each request to its lane."""

    def __init__(self, fault: Callable[[str, BaseException], None]) -> None:
        self._fault = fault
        self._lanes = {
            lane: LaneThreads(THREADS[lane], lane in REFUSING, self._run) for lane in Lane
        }

    def add_task(self, task: Task) -> bool:
        """Queue a request; what its lane has no room for is answered, as refused, in the quick one.

        False where nobody can answer: the system gives no thread, or the server ends.
        """
        lane = task.lane()
        task.refused = None
        offer = self._lanes[lane].offer(task)
        if offer is Offer.FULL:
            task.refused = lane
            offer = self._lanes[Lane.QUICK].offer(task)
        return offer is Offer.TAKEN

    def shutdown(self, cancel_pending: bool = True, timeout: float = 5) -> bool:  # noqa: ARG002 - waitress's
        """End all threads that have nothing to do; those that answer end with their answer."""
        for lane in self._lanes.values():
            lane.close()
        return True

    def _run(self, task: Task) -> None:
        try:
            task.service()
        except Exception as error:  # noqa: BLE001 - a thread of the pool must outlive any request
            self._fault("answering a request", error)
            task.give_up()
