"""Lines of a log with the time at which each was begun, from what is on disk and from a stream."""

from __future__ import annotations

import time
from typing import BinaryIO, NamedTuple

from bundlevisor.actors.files.tail import parts
from bundlevisor.actors.logs.times import Times

MAX_BYTES = 8 * 1024 * 1024
"""Bytes of a log, with its rotated neighbours, that are looked at."""
LONGEST = 64 * 1024
"""Bytes after which an unfinished line is handed out all the same."""


class Line(NamedTuple):
    """A line without its end; ``time`` is in seconds since 1970."""

    time: float
    text: bytes


class Earlier(NamedTuple):
    """The last lines of a log; the very last one may be without an end yet."""

    lines: list[Line]
    unfinished: bool


def previous_lines(path: str, lines: int, max_bytes: int = MAX_BYTES) -> list[Line]:
    """Return the last lines of the run before the newest one; none where no such run is known.

    A run is what was written from one start of the service on to the next, told by places, for a
    clock may have been set in between. Where its beginning is no longer kept, its end is.
    """
    found: list[Line] = []
    newest = True
    for name, file, stat in parts(path):
        times = Times(name, stat.st_mtime)
        starts, end = times.starts, stat.st_size
        if newest:
            if not starts:
                continue
            newest, end = False, min(starts.pop(), end)
        begin = starts[-1] if starts else 0
        cut = max(begin, end - max_bytes)
        data = _between(file, cut, end)
        found[:0] = _timed(data, cut, times, lines - len(found), torn=cut > begin)
        max_bytes -= len(data)
        if starts or len(found) >= lines or max_bytes <= 0:
            break
    return found


def last_lines(path: str, lines: int, since: float = 0.0, max_bytes: int = MAX_BYTES) -> Earlier:
    """Return the last ``lines`` lines that were begun at ``since`` or later, the oldest first.

    Rotated neighbours go before the log; a line that a rotation cut is two. No file is no line.
    Raises OSError when a file cannot be read.
    """
    found: list[Line] = []
    unfinished = False
    for name, file, stat in parts(path):
        begin = max(0, stat.st_size - max_bytes)
        data = _between(file, begin, stat.st_size)
        if name == path:
            unfinished = bool(data) and not data.endswith(b"\n")
        times = Times(name, stat.st_mtime)
        found[:0] = _timed(data, begin, times, lines - len(found), torn=begin > 0)
        max_bytes -= len(data)
        if len(found) >= lines or max_bytes <= 0 or (found and found[0].time < since):
            break
    kept = [line for line in found if line.time >= since]
    return Earlier(kept, unfinished and bool(kept))


def _between(file: BinaryIO, begin: int, end: int) -> bytes:
    file.seek(begin)
    return file.read(end - begin)


def _timed(data: bytes, begin: int, times: Times, lines: int, *, torn: bool) -> list[Line]:
    """Return the last lines of ``data``, which stands at ``begin`` in its file.

    ``torn``: the first one is a fragment.
    """
    if torn:
        cut = data.find(b"\n") + 1
        data, begin = data[cut:], begin + cut
    found: list[Line] = []
    end = len(data) - 1 if data.endswith(b"\n") else len(data)
    while data and end >= 0 and len(found) < lines:
        start = data.rfind(b"\n", 0, end) + 1
        found.append(Line(times.at(begin + start), data[start:end]))
        end = start - 1
    found.reverse()
    return found


class LineAssembler:
    """Makes lines of a stream of chunks; a line has the time of its first byte."""

    def __init__(self, begun: Line | None = None) -> None:
        self._rest = begun.text if begun else b""
        self._began = begun.time if begun else 0.0

    def feed(self, data: bytes) -> list[Line]:
        """Return the lines that ``data``, written now, has finished."""
        now = time.time()
        *whole, rest = data.split(b"\n")
        lines = []
        for piece in whole:
            lines.append(Line(self._began or now, self._rest + piece))
            self._rest, self._began = b"", 0.0
        if rest:
            self._began = self._began or now
            self._rest += rest
        if len(self._rest) > LONGEST:
            lines += self.flush()
        return lines

    def flush(self) -> list[Line]:
        """Return what has no end yet as a line, if there is any."""
        line = Line(self._began, self._rest)
        self._rest, self._began = b"", 0.0
        return [line] if line.text else []
