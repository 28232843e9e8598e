"""The instance lock on Windows: one byte far behind the file's end, so that the file is readable.

LockFile allows a region beyond the end; Windows lets go when the process ends.
"""

from __future__ import annotations

import errno
import msvcrt
import os
import sys

assert sys.platform == "win32"  # noqa: S101 - tells the type checker where this file belongs

REGION = 1 << 30


def acquire(fd: int) -> bool:
    """Take the lock without waiting; False when another process holds it. Raises OSError."""
    os.lseek(fd, REGION, os.SEEK_SET)
    try:
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EDEADLK):
            return False
        raise
    return True


def release(fd: int) -> None:
    """Let go."""
    os.lseek(fd, REGION, os.SEEK_SET)
    msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)
