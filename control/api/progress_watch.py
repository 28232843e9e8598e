"""Whether there is anything new to show of a start, beyond that time has passed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bundlevisor.actors.core.progress import Progress
    from bundlevisor.actors.core.snapshot import Snapshot
    from bundlevisor.control.wire.facade import RuntimeApi

LOOK_EVERY = 0.25
"""Seconds between two looks at what changes without a change of the snapshot: time, and logs."""


class ProgressWatch:
    """For one client: remembers what it has been shown last."""

    def __init__(self, runtime: RuntimeApi, shown: Progress | None = None) -> None:
        self._runtime = runtime
        self._shown = None if shown is None else what_is_shown(shown)
        self._version = -1
        self._looked = 0.0

    def news(self, snapshot: Snapshot) -> Progress | None:
        """Return the progress where it is another one than before, None where it is the same."""
        now = time.monotonic()
        same = snapshot.version == self._version
        if same and (snapshot.ready or now - self._looked < LOOK_EVERY):
            return None
        self._version, self._looked = snapshot.version, now
        found = self._runtime.progress(snapshot)
        shown = what_is_shown(found)
        if shown == self._shown:
            return None
        self._shown = shown
        return found


def what_is_shown(progress: Progress) -> tuple[object, ...]:
    """Return what is worth an answer of its own: the fraction in per cent, and every word."""
    works = ((one.service, one.phase, one.text, one.fraction) for one in progress.working_on)
    counts = (int(progress.fraction * 100), progress.done, progress.total)
    return (*counts, progress.slowest, progress.last_line, *works)
