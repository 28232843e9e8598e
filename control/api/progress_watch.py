"""Whether there is anything new to show of a start, beyond that time has passed."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bundlevisor.actors.core.progress import Progress
    from bundlevisor.actors.core.snapshot import Snapshot
    from bundlevisor.control.wire.facade import RuntimeApi

LOOK_EVERY = 0.25
"""Seconds between two looks at what changes all the time: states, what is left, and logs."""


class ProgressWatch:
    """For one client: remembers what it has been shown last, and when, in monotonic seconds."""

    def __init__(
        self, runtime: RuntimeApi, shown: Progress | None = None, looked: float = 0.0
    ) -> None:
        self._runtime = runtime
        self._shown = None if shown is None else what_is_shown(shown)
        self._version = -1
        self._looked = looked

    def news(self, snapshot: Snapshot) -> Progress | None:
        """Return the progress where it is another one than before, None where it is the same."""
        now = time.monotonic()
        nothing = snapshot.version == self._version and snapshot.ready
        if nothing or now - self._looked < LOOK_EVERY:
            return None
        self._version, self._looked = snapshot.version, now
        found = self._runtime.progress(snapshot)
        shown = what_is_shown(found)
        if shown == self._shown:
            return None
        self._shown = shown
        return found


class Versions:
    """Numbers what is told: a later one for each snapshot, and for each progress within one.

    Safe from any thread.
    """

    def __init__(self) -> None:
        self._newest = -1
        self._first = 0
        """The number that the newest snapshot was first told with."""
        self._shown: tuple[object, ...] = ()
        self._progressed = 0
        self._lock = threading.Lock()

    def number(self, snapshot: Snapshot, progress: Progress) -> int:
        """Return the number of these two; what a number was given for never comes back."""
        shown = what_is_shown(progress)
        with self._lock:
            if snapshot.version > self._newest:
                self._first = snapshot.version + self._progressed
            if snapshot.version >= self._newest:
                self._progressed += snapshot.version == self._newest and shown != self._shown
                self._newest, self._shown = snapshot.version, shown
            return snapshot.version + self._progressed

    def is_of_now(self, number: int) -> bool:
        """Whether a number was given for the newest snapshot, with this progress or another."""
        return number >= self._first


def what_is_shown(progress: Progress) -> tuple[object, ...]:
    """Return what is worth an answer of its own: the fraction in per cent, and every word."""
    works = ((one.service, one.phase, one.text, one.fraction) for one in progress.working_on)
    counts = (int(progress.fraction * 100), progress.done, progress.total)
    return (*counts, progress.slowest, progress.last_line, *works)
