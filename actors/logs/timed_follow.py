"""Following a log by lines that have a time."""

from __future__ import annotations

import threading

from bundlevisor.actors.logs.stream import FIRST_BYTES, LogStream
from bundlevisor.actors.logs.timed_lines import Earlier, Line, LineAssembler, last_lines


class TimedFollower:
    """One reader of one log: what was before, and what comes, without a gap. One thread only."""

    def __init__(self, stream: LogStream, lines: int, since: float) -> None:
        self._lines = lines
        self._since = since
        self._earlier = Earlier([], unfinished=False)
        self._looked = threading.Event()
        self._assembler: LineAssembler | None = None
        self._ended = False
        self._subscription = stream.follow(first=self._look)

    def read(self, timeout: float) -> list[Line] | None:
        """Return what has come: nothing when nothing has in ``timeout`` s, None after the end.

        The first answer that is not empty may be what was before.
        """
        if self._ended:
            return None
        if self._assembler is None:
            if not self._looked.wait(timeout):
                return []
            return self._begin()
        data = self._subscription.read(timeout)
        if data is None:
            self._ended = True
            return self._assembler.flush()
        return self._assembler.feed(data)

    @property
    def has_begun(self) -> bool:
        """Whether what was before has been read."""
        return self._assembler is not None

    def close(self) -> None:
        """Leave."""
        self._subscription.close()

    def _look(self, path: str) -> bytes:
        """On the log's thread, so that nothing comes in between; raises OSError."""
        try:
            if self._lines:
                self._earlier = last_lines(path, self._lines, self._since, FIRST_BYTES)
        finally:
            self._looked.set()
        return b""

    def _begin(self) -> list[Line]:
        lines, unfinished = self._earlier
        self._assembler = LineAssembler(lines.pop() if unfinished else None)
        return lines
