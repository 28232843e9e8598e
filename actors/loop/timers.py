"""Timers in a heap: what is due when, on a clock that the caller reads."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable

Callback = Callable[[], object]

FORGIVEN = 20
"""How many hold-ups of the loop are forgiven to a timer: one that is always late calls it too."""


class Timer:
    """One call in the future; ``when`` is in seconds of the loop's monotonic clock."""

    __slots__ = ("_callback", "forgiven", "when")

    def __init__(self, when: float, callback: Callback) -> None:
        self.when = when
        self.forgiven = 0
        self._callback: Callback | None = callback

    def cancel(self) -> None:
        """Never call back, unless the call has begun. Safe from any thread, and again."""
        self._callback = None

    @property
    def cancelled(self) -> bool:
        """Whether there is nothing left to call: cancelled, or called already."""
        return self._callback is None

    def take(self) -> Callback | None:
        """Return the callback, once."""
        callback, self._callback = self._callback, None
        return callback


class Timers:
    """Pending timers; one thread only.

    A cancelled timer stays in the heap until it is due or until a sweep takes it: a sweep comes
    whenever the heap has doubled since the last one, so that cancelling costs nothing.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._sweep_at = 64

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, timer: Timer) -> None:
        """Keep the timer until it is due; those of one moment come due in the order added."""
        heapq.heappush(self._heap, (timer.when, next(self._order), timer))
        if len(self._heap) >= self._sweep_at:
            self._rebuild(0.0)
            self._sweep_at = max(64, 2 * len(self._heap))

    def put_off(self, seconds: float) -> None:
        """Move every pending timer into the future."""
        self._rebuild(seconds)

    def forgive(self, seconds: float, until: float) -> None:
        """Move those that are due by ``until`` into the future, each FORGIVEN times at most."""
        for _, _, timer in self._heap:
            if timer.when <= until and timer.forgiven < FORGIVEN:
                timer.when += seconds
                timer.forgiven += 1
        self._rebuild(0.0)

    def next(self) -> float | None:
        """Return when the next timer is due; None without one."""
        while self._heap and self._heap[0][2].cancelled:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def due(self, now: float, most: float = math.inf) -> list[Timer]:
        """Take out the timers whose moment has come, earliest first, and no more than ``most``."""
        taken: list[Timer] = []
        while self._heap and self._heap[0][0] <= now and len(taken) < most:
            taken.append(heapq.heappop(self._heap)[2])
        return taken

    def _rebuild(self, seconds: float) -> None:
        pending = [entry for entry in self._heap if not entry[2].cancelled]
        for _, _, timer in pending:
            timer.when += seconds
        self._heap = [(timer.when, order, timer) for _, order, timer in pending]
        heapq.heapify(self._heap)
