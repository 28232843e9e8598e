"""The instance lock on POSIX: flock(2), which ends with the process however it ends."""

from __future__ import annotations

import fcntl
import sys

assert sys.platform != "win32"  # noqa: S101 - tells the type checker where this file belongs


def acquire(fd: int) -> bool:
    """Take the lock without waiting; False when another process holds it. Raises OSError."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def release(fd: int) -> None:
    """Let go, for forked children that share the descriptor too."""
    fcntl.flock(fd, fcntl.LOCK_UN)
