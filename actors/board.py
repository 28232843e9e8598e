"""Where the newest picture of all services stands, and who waits for another one.

Nobody asks an actor for its state, so a busy or stuck service can never hold an answer up.
"""

from __future__ import annotations

import operator
import threading
import time
from collections.abc import Callable

from bundlevisor.actors.core.snapshot import Snapshot

DECIDED: Callable[[Snapshot], bool] = operator.attrgetter("decided")


class Board:
    """Where the supervisor publishes and everybody else reads; safe from any thread."""

    def __init__(self, first: Snapshot) -> None:
        lock = threading.Lock()
        self._changed = threading.Condition(lock)
        self._decided = threading.Condition(lock)
        self._snapshot = first

    @property
    def snapshot(self) -> Snapshot:
        """The newest snapshot; never blocks."""
        return self._snapshot

    def publish(self, snapshot: Snapshot, decided: bool | None = None) -> None:
        """Replace the picture and wake everybody who waits for it. Only the supervisor calls this.

        ``decided``: what ``snapshot.decided`` is, where that is known.
        """
        if decided is None:
            decided = snapshot.decided
        with self._changed:
            self._snapshot = snapshot
            self._changed.notify_all()
            if decided:
                self._decided.notify_all()

    def wait(self, until: Callable[[Snapshot], bool], timeout: float) -> Snapshot:
        """Return the first snapshot that satisfies ``until``, or the newest after ``timeout`` s.

        One that is replaced at once may be passed over. Nobody who publishes waits for ``until``.
        """
        return self._wait(self._changed, until, timeout)

    def wait_decided(self, timeout: float, until: Callable[[Snapshot], bool] = DECIDED) -> Snapshot:
        """Wait for what holds of no snapshot before readiness is decided.

        Until then nothing wakes who waits: each change of a start would, twice for each service,
        and take the interpreter from those who start services.
        """
        return self._wait(self._decided, until, timeout)

    def _wait(
        self, news: threading.Condition, until: Callable[[Snapshot], bool], timeout: float
    ) -> Snapshot:
        end = time.monotonic() + timeout
        while True:
            seen = self._snapshot
            if until(seen):
                return seen
            with news:
                left = end - time.monotonic()
                if left <= 0:
                    return self._snapshot
                if self._snapshot is seen:
                    news.wait(left)
