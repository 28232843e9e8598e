"""One log on disk: unbuffered appends, rotation by size, and a file that is there again when gone.

A write is one write(2), so that a killed runtime loses nothing that it has taken from a pipe.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress

from bundlevisor.actors.files import atomic, own_file
from bundlevisor.actors.files.time_index import TimeIndex, renamed
from bundlevisor.manifest.format.app_data import ROTATED

MAX_BYTES = 10 * 1024 * 1024
FILES = len(ROTATED)
GRACE = 64 * 1024
"""Bytes that a file may exceed its limit by (never more than an eighth), to end a line in it."""
LOOK_EVERY = 1.0
"""Seconds between two looks whether the path still names our file."""
ROTATE_AGAIN = 1024 * 1024
"""Bytes written before a rotation that failed is tried again."""


class LogFile:
    """``path`` and its rotated neighbours ``path.1``, ``path.2``: ``files`` in all.

    The files are at most ``max_bytes`` long, and a little more where that keeps a line whole.
    One thread only. ``write`` is os.write, and may be another in a test of a failing disk.

    Nothing is written into a file that has a second name, or that a link leads to. The first is
    rotated away; a link, a pipe or a device is set aside, of which ``report`` hears.

    ``times`` keeps when what was written, and is rotated and closed with the file.
    """

    def __init__(
        self,
        path: str,
        *,
        max_bytes: int = MAX_BYTES,
        files: int = FILES,
        write: Callable[[int, bytes], int] = os.write,
        report: Callable[[str], object] = atomic.unheard,
        times: TimeIndex | None = None,
    ) -> None:
        self.path = path
        self._times = times
        self._report = report
        self.trouble: OSError | None = None
        """Why the last write did not take everything."""
        self.at_line_start = True
        self._max_bytes = max_bytes
        self._grace = min(GRACE, max_bytes // 8)
        self._files = files
        self._os_write = write
        self._fd = -1
        self._size = 0
        self._rotate_at = max_bytes
        self._look_at = 0.0

    def open(self) -> bool:
        """Open the file if it is not; False (see ``trouble``) when that cannot be."""
        return self.write(b"") == 0 and self._fd >= 0

    def mark_start(self) -> None:
        """Have ``times`` say that an incarnation begins with the next byte."""
        if self._times is not None and self._fd >= 0:
            self._times.note_start(self._size)

    def write(self, data: bytes) -> int:
        """Append; returns how many bytes were taken, fewer than given when ``trouble`` says why."""
        taken = 0
        try:
            self._look()
            while taken < len(data):
                taken += self._append(data[taken:] if taken else data)
        except OSError as error:
            self.trouble = error
        return taken

    def close(self) -> None:
        """Close the file; the next write opens it again."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
        if self._times is not None:
            self._times.close()

    def _append(self, data: bytes) -> int:
        """Write as much of ``data`` as goes into this file, rotating when that is nothing."""
        if self._size + len(data) > self._rotate_at:
            count = self._fitting(data)
            if count == 0:
                self._rotate()
                return 0
            data = data[:count]
        if self._times is not None and data:
            self._times.note(self._size)
        count = self._os_write(self._fd, data)
        self._size += count
        if count:
            self.at_line_start = data[count - 1] == 10
        return count

    def _fitting(self, data: bytes) -> int:
        """Return how much of ``data`` still goes into this file, whole lines if that can be."""
        room = self._rotate_at - self._size
        whole = data.rfind(b"\n", 0, max(0, room)) + 1
        if whole or (self.at_line_start and self._size > 0):
            return whole
        rest_of_line = data.find(b"\n") + 1 or len(data)
        if rest_of_line <= room + self._grace or self._size == 0:
            return rest_of_line
        return 0

    def _look(self) -> None:
        """Open what the path names, when that is not our file (any more)."""
        now = time.monotonic()
        if self._fd >= 0 and now < self._look_at:
            return
        self._look_at = now + LOOK_EVERY
        if self._fd >= 0:
            ours = self._still_named()
            if ours is not None:
                self._size = ours.st_size  # somebody else may have written or truncated
                return
            self.close()
        self._open()

    def _still_named(self) -> os.stat_result | None:
        """Return what our file is; None where it is to be opened anew.

        That is so for one that is gone on a server (ESTALE), too. Where nobody can say what the
        path names, ours is as good as any.
        """
        try:
            ours = os.fstat(self._fd)
        except OSError:
            return None
        try:
            return ours if os.path.samestat(ours, os.lstat(self.path)) else None
        except FileNotFoundError:
            return None
        except OSError:
            return ours

    def _open(self) -> None:
        self._fd = self._alone()
        self._size = os.fstat(self._fd).st_size
        self._rotate_at = self._max_bytes
        self.at_line_start = self._size == 0 or self._last_byte() == b"\n"

    def _alone(self) -> int:
        try:
            return own_file.open_to_append(self.path)
        except own_file.Unfit as unfit:
            if unfit.strerror == own_file.FOLDER:
                raise
            if unfit.strerror == own_file.SECOND_NAME:
                self._shift()
            else:
                self._report(atomic.set_aside(self.path, unfit, time.time()))
            return own_file.open_to_append(self.path)

    def _last_byte(self) -> bytes:
        try:
            with open(own_file.open_to_read(self.path, follow=False), "rb") as file:
                file.seek(-1, os.SEEK_END)
                return file.read(1)
        except OSError:
            return b""

    def _rotate(self) -> None:
        self.close()  # Windows renames no open file
        try:
            self._shift()
        except OSError as error:
            self._go_on_without_rotation(error)
        else:
            self._open()

    def _shift(self) -> None:
        """Give each file the next name; the last one goes."""
        for number in range(self._files - 1, 0, -1):
            older = f"{self.path}.{number - 1}" if number > 1 else self.path
            with suppress(FileNotFoundError):
                own_file.displace(older, f"{self.path}.{number}")
                if self._times is not None:
                    renamed(older, f"{self.path}.{number}")
        if self._files < 2:
            os.unlink(self.path)

    def _go_on_without_rotation(self, why: OSError) -> None:
        """Somebody holds the file (Windows) or the folder: the total limit holds all the same."""
        self._open()
        if self._size >= self._max_bytes * self._files:
            lost, self._size = self._size, 0
            os.ftruncate(self._fd, 0)
            notice = f"[bundlevisor: {lost} bytes dropped: cannot rename: {why.strerror}]\n"
            self._size = self._os_write(self._fd, notice.encode())
            self.at_line_start = True
        self._rotate_at = max(self._size, self._max_bytes) + ROTATE_AGAIN
