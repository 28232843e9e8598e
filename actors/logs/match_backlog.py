"""Output that waits for an engine which may be slower than the service that writes it."""

from __future__ import annotations

import threading

PENDING = 256 * 1024
"""Bytes that wait for the engine; what is older is not searched."""


class Backlog:
    """Between the log's thread, which never waits, and one that searches. For any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._pending = b""
        self._found = False
        self._over = False

    def feed(self, data: bytes) -> bool:
        """Add output; True when there has been a match in what came before. Never blocks."""
        with self._changed:
            if data and not self._over:
                self._pending = (self._pending + data)[-PENDING:]
                self._changed.notify()
            return self._found

    def next(self) -> bytes | None:
        """Wait for output and return all there is; None when nobody wants it searched any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._pending or self._over)
            text, self._pending = self._pending, b""
            return None if self._over else text

    def match(self) -> None:
        """Say that there has been a match."""
        with self._changed:
            self._found = self._over = True

    def close(self) -> bool:
        """Search no more; return whether anybody still wanted that."""
        with self._changed:
            was_open, self._over = not self._over, True
            self._changed.notify()
            return was_open
