"""The threads of the lanes: started when there is something to do, ended when there is not."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Protocol

from bundlevisor.control.wire.lanes import REFUSING, THREADS, Lane

if TYPE_CHECKING:
    from collections.abc import Callable

IDLE_S = 10.0
"""How long a thread without work lives."""


class Task(Protocol):
    """One request, ready to be answered: waitress's channel."""

    refused: Lane | None

    def lane(self) -> Lane:
        """Return the lane that the request belongs to."""

    def service(self) -> None:
        """Answer the request."""

    def cancel(self) -> None:
        """The server ends: never mind."""


class LaneThreads:
    """The threads of one lane."""

    def __init__(self, name: str, most: int, refuses: bool, run: Callable[[Task], None]) -> None:
        self._name = name
        self._most = most
        self._refuses = refuses
        self._run = run
        self._changed = threading.Condition()
        self._waiting: deque[Task] = deque()
        self._threads = 0
        self._busy = 0
        self._closed = False

    def offer(self, task: Task) -> bool:
        """Take a task; False when the lane is full and does not let tasks queue."""
        with self._changed:
            taken = self._busy + len(self._waiting)
            if self._closed or (self._refuses and taken >= self._most):
                return False
            self._waiting.append(task)
            if taken < self._threads or self._threads == self._most:
                self._changed.notify()
            elif not self._start_thread() and not self._threads:
                self._waiting.pop()
                return False
            return True

    def close(self) -> None:
        """Take nothing more, forget what waits, and end the threads when they are done."""
        with self._changed:
            self._closed = True
            for task in self._waiting:
                task.cancel()
            self._waiting.clear()
            self._changed.notify_all()

    def _start_thread(self) -> bool:
        """Start one more; False where the system allows none, and the others have to do."""
        try:
            threading.Thread(target=self._work, name=f"api-{self._name}", daemon=True).start()
        except RuntimeError:
            return False
        self._threads += 1
        return True

    def _work(self) -> None:
        while (task := self._next()) is not None:
            self._run(task)
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
            lane: LaneThreads(lane.value, THREADS[lane], lane in REFUSING, self._run)
            for lane in Lane
        }

    def add_task(self, task: Task) -> bool:
        """Queue a request; what its lane refuses is answered, as refused, in the quick lane.

        False where nobody can answer: the system gives no thread, or the server ends.
        """
        lane = task.lane()
        task.refused = None
        if self._lanes[lane].offer(task):
            return True
        task.refused = lane
        return self._lanes[Lane.QUICK].offer(task)

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
