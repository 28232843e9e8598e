"""Lines for people and programs, handed to a descriptor by a thread of its own.

Whoever starts the runtime may never read its stderr or stdout (a pipe takes 64 KiB, then every
write waits), may have stopped the terminal, or may have sent both to a disk that hangs. None of
that may hold up who has something to say: only this thread waits. The descriptor itself stays as
it is, because O_NONBLOCK would be set for everybody who shares it.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

LIMIT = 1024 * 1024
"""Bytes that may wait for a reader: ten thousand lines; then the oldest are dropped."""
CHUNK = 4096
"""Bytes of one write, unless one line is longer: what POSIX writes to a pipe in one piece."""
BREATH = 0.002
"""Seconds between two bursts of writing: lines come in bursts, and each waking of the thread costs
those who start services more than its work."""
RETRY = 0.05
"""Seconds until a descriptor that somebody has made non-blocking is tried again."""
STALLED = 1.0
CLOSING = 3.0
"""Seconds that the end waits for a reader who takes nothing, and for one who does."""


class BackgroundWriter:
    """Writes to one descriptor, in order; safe from any thread. Its thread begins with a line."""

    def __init__(
        self,
        fd: int,
        tell_dropped: Callable[[int], bytes],
        *,
        limit: int = LIMIT,
        write: Callable[[int, bytes], int] = os.write,
    ) -> None:
        """``tell_dropped(count)`` returns the line that stands where lines are missing.

        ``write`` is called as os.write is, which it stands for.
        """
        self._fd = fd
        self._write_some = write
        self._tell_dropped = tell_dropped
        self._limit = limit
        self._lines: deque[bytes] = deque()
        self._size = 0
        self._untold = 0
        self._passed_on = 0
        self._whole = True
        self._closed = threading.Event()
        self._changed = threading.Condition(threading.Lock())
        self._thread: threading.Thread | None = None

    def put(self, line: bytes) -> None:
        """Hand over one line, with its end. Never waits for the reader, never raises."""
        with self._changed:
            if self._closed.is_set():
                return
            self._lines.append(line)
            self._size += len(line)
            while self._size > self._limit:
                self._size -= len(self._lines.popleft())
                self._untold += 1
            if self._thread is None:
                self._start()
            self._changed.notify()

    def close(self, *, stalled: float = STALLED, bound: float = CLOSING) -> bool:
        """Take no more lines; return whether all were written within ``bound`` seconds.

        A reader who has taken nothing for ``stalled`` seconds is not waited for any longer.
        """
        with self._changed:
            self._closed.set()
            self._changed.notify()
        if self._thread is None:
            self._run()  # nothing was said, or there was no thread to be had
            return True
        deadline = time.monotonic() + bound
        before = -1
        while self._passed_on != before and (left := deadline - time.monotonic()) > 0:
            before = self._passed_on
            self._thread.join(min(stalled, left))
            if not self._thread.is_alive():
                return True
        return False

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name="output", daemon=True)
        with suppress(RuntimeError):  # no more threads for this user: the next line tries again
            thread.start()
            self._thread = thread

    def _run(self) -> None:
        while lines := self._next():
            with self._changed:
                untold, self._untold = self._untold, 0
            told = [self._tell_dropped(untold)] if untold else []
            try:
                self._write(b"".join(told + lines))
            except OSError:  # a full disk, or nobody there any more
                with self._changed:
                    self._untold += untold + len(lines)
            if not self._lines:
                self._closed.wait(BREATH)

    def _next(self) -> list[bytes]:
        """Wait for lines and take as many as make one write; none when there will be no more."""
        taken: list[bytes] = []
        with self._changed:
            while not self._lines and not self._closed.is_set():
                self._changed.wait()
            room = CHUNK
            while self._lines and (not taken or len(self._lines[0]) <= room):
                line = self._lines.popleft()
                self._size -= len(line)
                room -= len(line)
                taken.append(line)
        return taken

    def _write(self, data: bytes) -> None:
        """Write it all. Raises OSError; what was torn then is ended by the next."""
        data = data if self._whole else b"\n" + data
        while data:
            try:
                count = self._write_some(self._fd, data[:CHUNK])
            except BlockingIOError:
                time.sleep(RETRY)
                continue
            self._passed_on += count
            last, data = data[count - 1], data[count:]
            self._whole = not data or last == 10
