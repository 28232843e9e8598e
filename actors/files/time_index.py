"""When the text of a log was written: an index beside the log, never in its bytes.

A record is 16 bytes, two little-endian numbers: an offset into the log, and microseconds since 1970
(UTC). The byte at the offset was written at that time, and what follows it, up to the next record,
within :data:`EVERY` of it, or within the time to the next record where that is longer. A record is
written before its bytes, unbuffered, so that no text in the log of a killed runtime is without a
time. The highest bit of the time says that an incarnation of the service begins there.
:mod:`bundlevisor.actors.logs.times` reads it.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress

from bundlevisor.actors.files import own_file
from bundlevisor.manifest.format.app_data import TIMES

STARTS = 1 << 63
RECORD = 16
EVERY = 0.05
"""Seconds between two records: what they cost does not depend on how much a service writes."""
SLOWER = ((32 * 1024, 1.0), (96 * 1024, 60.0), (128 * 1024, 3600.0))
"""From so many records on there are so many seconds between two: a slow writer fills no disk."""
MOST = 256 * 1024
"""Records of one log file (4 MiB), ten years of a slow writer; what comes after them has the time
of the last."""


def path_of(log: str) -> str:
    """Return where the index of a log file lies."""
    return log + TIMES


def renamed(log: str, new: str) -> None:
    """Let the index follow its log, which has got a new name; one that is missing takes none."""
    with suppress(OSError):
        try:
            own_file.displace(path_of(log), path_of(new))
        except FileNotFoundError:
            own_file.remove(path_of(new))


class TimeIndex:
    """Writes the index of one log. The log's thread only. Never raises: the log is worth more."""

    def __init__(self, log: str) -> None:
        self._log = log
        self._path = path_of(log)
        self._fd = -1
        self._noted = self._next = 0.0
        self._count = 0

    def note(self, offset: int) -> None:
        """Say that something is written at ``offset`` now; most calls only look at the clock.

        At the one whose time is written: it goes on while the machine sleeps, and may be set.
        """
        now = time.time()
        if self._noted <= now < self._next:
            return
        with suppress(OSError):
            self._write(offset)
        self._noted, self._next = now, now + self._pause()

    def note_start(self, offset: int) -> None:
        """Say that an incarnation begins at ``offset`` now."""
        with suppress(OSError):
            self._write(offset, STARTS)

    def close(self) -> None:
        """Close the file, as the log is closed, and perhaps renamed or gone."""
        fd, self._fd = self._fd, -1
        self._next = 0.0
        if fd >= 0:
            os.close(fd)

    def _pause(self) -> float:
        pause = EVERY
        for count, longer in SLOWER:
            if self._count >= count:
                pause = longer
        return pause

    def _write(self, offset: int, starts: int = 0) -> None:
        if self._fd < 0:
            self._open(fresh=offset == 0)
        if self._count >= MOST:
            return
        if offset and not self._count:  # what stands there already was not written now
            self._append(0, int(os.stat(self._log).st_mtime * 1e6))
        self._append(offset, time.time_ns() // 1000 | starts)

    def _append(self, offset: int, moment: int) -> None:
        record = offset.to_bytes(8, "little") + moment.to_bytes(8, "little")
        if os.write(self._fd, record) < RECORD:  # a full disk: what is torn goes at the next open
            self.close()
        self._count += 1

    def _open(self, *, fresh: bool) -> None:
        """Open the file without what is torn in it; without anything for a ``fresh`` log."""
        self._fd = own_file.open_to_append(self._path)
        size = os.fstat(self._fd).st_size
        whole = 0 if fresh else size - size % RECORD
        if whole < size:
            os.ftruncate(self._fd, whole)
        self._count = whole // RECORD
