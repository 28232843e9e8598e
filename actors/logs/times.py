"""Reading when what stands in a log was written."""

from __future__ import annotations

import struct
from bisect import bisect_right
from contextlib import suppress

from bundlevisor.actors.files import own_file
from bundlevisor.actors.files.time_index import MOST, RECORD, STARTS, path_of

LAYOUT = struct.Struct("<QQ")
LATEST = 250_000_000_000.0
"""Seconds since 1970 that a date can still be made of; more is no time but a damaged record."""


class Times:
    """The index of one log file as it is on disk now; safe from any thread."""

    def __init__(self, log: str, fallback: float) -> None:
        self._fallback = fallback
        self.starts: list[int] = []
        """Where incarnations begin, as offsets into this file, ascending."""
        self._offsets: list[int] = []
        self._moments: list[float] = []
        with suppress(OSError):
            self._read(own_file.read(path_of(log), 2 * MOST * RECORD, follow=False))

    def at(self, offset: int) -> float:
        """Return when the byte at ``offset`` was written, in seconds since 1970.

        The nearest known time where the index has none, ``fallback`` where it has none at all.
        """
        if not self._offsets:
            return self._fallback
        return self._moments[max(0, bisect_right(self._offsets, offset) - 1)]

    def _read(self, data: bytes) -> None:
        for offset, marked in LAYOUT.iter_unpack(data[: len(data) - len(data) % RECORD]):
            moment = marked & ~STARTS
            if moment / 1e6 > LATEST:  # no time of any clock
                continue
            if self._offsets and offset < self._offsets[-1]:  # the log was truncated meanwhile
                self._offsets.clear()
                self._moments.clear()
                self.starts.clear()
            self._offsets.append(offset)
            self._moments.append(moment / 1e6)
            if marked & STARTS:
                self.starts.append(offset)
