"""How far this start is, for everybody who asks: what only goes forward is remembered here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bundlevisor.actors.core.progress import Known, Progress, measure
from bundlevisor.actors.loop.wall_time import moment

if TYPE_CHECKING:
    from bundlevisor.actors.core.snapshot import ServiceView, Snapshot

FRESH = 0.05
"""Seconds for which a measurement of the same snapshot is taken again: many may ask at once."""


class ProgressMeter:
    """Safe from any thread; what is usual is not known before :meth:`learn`."""

    def __init__(
        self,
        dependencies: Mapping[str, tuple[str, ...]],
        last_line: Callable[[ServiceView], str],
        now: Callable[[], float] = moment,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._known = Known(dependencies)
        self._last_line = last_line
        self._now = now
        self._monotonic = monotonic
        self._least = 0.0
        self._measured: tuple[Snapshot, float, Progress] | None = None
        self._lock = threading.Lock()

    def learn(self, usual: Mapping[str, float]) -> None:
        """Take how long starts take usually, in seconds by service."""
        with self._lock:
            self._known = Known(self._known.dependencies, usual)
            self._measured = None

    def measure(self, snapshot: Snapshot) -> Progress:
        """Return how far it is; a start that follows when all was ready begins anew."""
        with self._lock:
            now = self._monotonic()
            if self._measured is not None:
                before, at, found = self._measured
                if before is snapshot and now - at < FRESH:
                    return found
            found = measure(
                snapshot,
                self._known,
                self._now(),
                least=self._least,
                last_line=self._last_line,
            )
            self._least = found.fraction if found.fraction < 1 else 0.0
            self._measured = snapshot, now, found
        return found
