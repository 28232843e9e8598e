"""Locks on POSIX, which end with the process however it ends.

The instance lock is flock(2), of a whole file; of single bytes fcntl(2) has locks.
"""

from __future__ import annotations

import fcntl
import os
import sys

from bundlevisor.actors.files import own_file

assert sys.platform != "win32"  # noqa: S101 - tells the type checker where this file belongs

TEMPORARY = "/tmp"  # noqa: S108 - nothing is written there


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


def open_of_user(name: str) -> int | None:
    """Return a descriptor of the one empty file of this name that all programs of the user find.

    None without a temporary folder, and where somebody else has it: what others lock there is not
    to be believed. Raises OSError.
    """
    if not os.path.isdir(TEMPORARY):
        return None
    fd = own_file.open_to_change(f"{TEMPORARY}/{name}-{os.getuid()}")
    if os.fstat(fd).st_uid == os.getuid():
        return fd
    os.close(fd)
    return None


def acquire_byte(fd: int, offset: int) -> bool:
    """Lock one byte of a file for this process, without waiting; False: another one has it.

    Raises OSError. Whoever closes any descriptor of the file lets go of all.
    """
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, offset)
    except (BlockingIOError, PermissionError):  # POSIX allows either
        return False
    return True


def release_byte(fd: int, offset: int) -> None:
    """Let go of one byte."""
    fcntl.lockf(fd, fcntl.LOCK_UN, 1, offset)
