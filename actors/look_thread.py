"""Small looks at the system that may block, on one thread, which is there while there are any."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from bundlevisor.actors.loop.thread_start import start_thread

Look = Callable[[], object]


class LookThread:
    """Takes one after the other: a bundle of hundreds of services wants hundreds at one moment."""

    def __init__(self, name: str, fault: Callable[[str, BaseException], None]) -> None:
        self._name = name
        self._fault = fault
        self._lock = threading.Lock()
        self._waiting: deque[Look] = deque()
        self._running = False

    def put(self, look: Look) -> None:
        """Have it done soon; any thread. RuntimeError where the system gives no thread."""
        with self._lock:
            if not self._running:
                start_thread(self._run)
                self._running = True
            self._waiting.append(look)

    def _run(self) -> None:
        try:
            while (look := self._next()) is not None:
                self._take(look)
        except BaseException:
            with self._lock:
                self._running = False  # no memory even for that: the next look has another thread
            raise

    def _take(self, look: Look) -> None:
        try:
            look()
        except Exception as error:  # noqa: BLE001 - the others must have their turn
            self._fault(self._name, error)

    def _next(self) -> Look | None:
        with self._lock:
            self._running = bool(self._waiting)
            return self._waiting.popleft() if self._waiting else None
