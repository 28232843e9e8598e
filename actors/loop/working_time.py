"""Time in which a process was at work: what waits without a loop measures its patience in it.

A runtime or a guardian may be held up: by a debugger, by SIGSTOP, on a machine that is out of
memory. By an ordinary clock all its deadlines would be over when it goes on, and it would give up
what it has not even tried. (The loop puts its timers off instead.)
"""

from __future__ import annotations

import time

SLICE = 0.5
"""Seconds of one wait, at most."""
HELD = 1.0
"""Seconds between two looks at the clock; what goes beyond counts as having been held."""


class WorkingTime:
    """Seconds, like :func:`time.monotonic`, as long as somebody looks every SLICE."""

    def __init__(self) -> None:
        self._looked = self._now = time.monotonic()

    def now(self) -> float:
        """Return the time; it goes on by HELD at most since the last look."""
        looked = time.monotonic()
        self._now += min(looked - self._looked, HELD)
        self._looked = looked
        return self._now
