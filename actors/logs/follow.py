"""Readers that follow a service's log, each at its own pace."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

LIMIT = 1024 * 1024
"""Bytes that wait for a reader; what is older is dropped."""
JOINED = 4096
"""Bytes: smaller pieces are joined, or a flood of short writes would take 40 times its size."""


class Subscription:
    """One reader's queue: filled by the loop's thread, read by any one other.

    A reader that is too slow loses its oldest lines, and reads how many in a line of its own.
    """

    def __init__(self, left: Callable[[Subscription], None], limit: int = LIMIT) -> None:
        self._left = left
        self._limit = limit
        self._changed = threading.Condition()
        self._first = b""
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._lines = 0
        self._bytes = 0
        self._torn = False
        self._mid_line = False
        self._ended = False

    def read(self, timeout: float) -> bytes | None:
        """Return what has come: ``b""`` when nothing has in ``timeout`` s, None after the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._first or self._ended, timeout)
            if not self._waiting and not self._first:
                return None if self._ended else b""
            text = self._taken()
            self._mid_line = not text.endswith(b"\n")
            return text

    def close(self) -> None:
        """Leave; a ``read`` that waits returns None."""
        with self._changed:
            self._waiting.clear()
            self._first, self._size = b"", 0
        self.end()
        self._left(self)

    def begin(self, text: bytes) -> None:
        """Put what the log said before; it is never dropped. Before the first :meth:`put`."""
        with self._changed:
            self._first = text
            self._changed.notify()

    def put(self, data: bytes) -> None:
        """Hand over new output, and drop the oldest when too much waits. Never blocks."""
        with self._changed:
            if self._ended:
                return
            self._size += len(data)
            if self._waiting and len(self._waiting[-1]) + len(data) <= JOINED:
                data = self._waiting.pop() + data
            self._waiting.append(data)
            while self._size > self._limit and len(self._waiting) > 1:
                self._drop(self._waiting.popleft())
            self._changed.notify()

    def end(self) -> None:
        """Say that nothing more will come; what waits can still be read."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def _drop(self, data: bytes) -> None:
        self._size -= len(data)
        self._bytes += len(data)
        self._lines += data.count(b"\n")
        self._torn = not data.endswith(b"\n")

    def _taken(self) -> bytes:
        text = b"".join(self._waiting)
        self._waiting.clear()
        self._size = 0
        first, self._first = self._first, b""
        if self._bytes:
            text = self._notice(text, first)
        return first + text

    def _notice(self, text: bytes, first: bytes) -> bytes:
        """Say what is missing before ``text``, without the rest of a line that it began with."""
        if self._torn:
            rest = text.find(b"\n") + 1
            self._bytes += rest
            self._lines += rest > 0
            text = text[rest:]
        what = f"{self._lines} lines" if self._lines else f"{self._bytes} bytes of a line"
        mid_line = not first.endswith(b"\n") if first else self._mid_line
        self._bytes = self._lines = 0
        self._torn = False
        return (b"\n" if mid_line else b"") + f"[bundlevisor: {what} skipped]\n".encode() + text
