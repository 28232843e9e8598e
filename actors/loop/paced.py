"""Words that come often, of which only the newest counts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

EVERY = 0.1
"""Seconds between two that are passed on."""
T = TypeVar("T")


class Timekeeper(Protocol):
    """A loop, as far as it is needed here."""

    def call_at(self, when: float, callback: Callable[[], object]) -> object:
        """Call back once the monotonic clock has reached ``when``. Any thread."""


class Paced(Generic[T]):
    """Passes on at most ten a second: the newest in place of those that came too soon."""

    def __init__(
        self,
        loop: Timekeeper,
        tell: Callable[[T], object],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._loop = loop
        self._tell = tell
        self._now = now
        self._lock = threading.Lock()
        self._next = 0.0
        self._waiting: T | None = None

    def put(self, message: T) -> None:
        """Pass it on now or soon, unless a newer one comes first. Any thread."""
        with self._lock:
            now = self._now()
            if self._waiting is not None:
                self._waiting = message
                return
            if now < self._next:
                self._waiting = message
                self._loop.call_at(self._next, self._flush)
                return
            self._next = now + EVERY
        self._tell(message)

    def _flush(self) -> None:
        with self._lock:
            message, self._waiting = self._waiting, None
            self._next = self._now() + EVERY
        if message is not None:
            self._tell(message)
