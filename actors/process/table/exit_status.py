"""How a process ended that is no child of ours.

Linux tells it in two ways: /proc while nobody has reaped it, unless its memory is hidden from us,
and a descriptor that was opened before, when it has been reaped (PIDFD_GET_INFO, Linux 6.15).
"""

from __future__ import annotations

import os
import sys

from bundlevisor.actors.process import table


class ExitStatus:
    """Made while the process lives."""

    def __init__(self, pid: int, created: float) -> None:
        self._pid = pid
        self._created = created
        self._fd = _open(pid)
        if self._fd >= 0 and not table.alive(pid, created):
            self.close()

    def read(self) -> int | None:
        """Return the wait status; None as long as nothing is known."""
        status = table.status_of(self._pid, self._created)
        return status if status is not None else _told(self._fd)

    def close(self) -> None:
        """Let go of the descriptor; then it is known until the process is reaped."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


if sys.platform == "linux":
    GET_INFO = 0xC040FF0B
    """_IOWR(0xFF, 11, struct pidfd_info), with the 64 bytes of its first version."""
    SIZE, MASK, CODE = 64, slice(0, 8), slice(60, 64)
    WANT_EXIT = 1 << 3

    def _open(pid: int) -> int:
        try:
            return os.pidfd_open(pid)
        except OSError:
            return -1  # gone, or a Linux or a sandbox without

    def _told(fd: int) -> int | None:
        if fd < 0:
            return None
        import fcntl

        info = bytearray(SIZE)
        info[MASK] = WANT_EXIT.to_bytes(8, sys.byteorder)
        try:
            fcntl.ioctl(fd, GET_INFO, info)
        except OSError:
            return None
        if not int.from_bytes(info[MASK], sys.byteorder) & WANT_EXIT:
            return None
        return int.from_bytes(info[CODE], sys.byteorder, signed=True)

else:

    def _open(pid: int) -> int:  # noqa: ARG001
        return -1

    def _told(fd: int) -> int | None:  # noqa: ARG001
        return None
