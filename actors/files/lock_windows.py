"""Locks on Windows, of single bytes: LockFile, which ends with the process however it ends.

It allows a region beyond the file's end. The instance lock is a byte far behind it, so that the
file is readable.
"""

from __future__ import annotations

import ctypes
import msvcrt
import os
import sys
from ctypes import wintypes

from bundlevisor.actors.files import own_file

assert sys.platform == "win32"  # noqa: S101 - tells the type checker where this file belongs

INSTANCE = 1 << 30
ERROR_LOCK_VIOLATION = 33

_kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
_kernel32.LockFile.argtypes = (wintypes.HANDLE, *(wintypes.DWORD,) * 4)
_kernel32.UnlockFile.argtypes = (wintypes.HANDLE, *(wintypes.DWORD,) * 4)


def acquire(fd: int) -> bool:
    """Take the lock without waiting; False when another process holds it. Raises OSError."""
    return acquire_byte(fd, INSTANCE)


def release(fd: int) -> None:
    """Let go."""
    release_byte(fd, INSTANCE)


def open_of_user(name: str) -> int | None:
    """Return a descriptor of the one empty file of this name that all programs of the user find.

    None without a temporary folder. Raises OSError.
    """
    folder = os.environ.get("TEMP", "")  # tempfile, with all that it imports, takes it from there
    return own_file.open_to_change(os.path.join(folder, name)) if os.path.isdir(folder) else None


def acquire_byte(fd: int, offset: int) -> bool:
    """Lock one byte of a file without waiting; False when it is locked. Raises OSError."""
    if _kernel32.LockFile(msvcrt.get_osfhandle(fd), offset, 0, 1, 0):
        return True
    code = ctypes.get_last_error()
    if code == ERROR_LOCK_VIOLATION:
        return False
    raise ctypes.WinError(code)


def release_byte(fd: int, offset: int) -> None:
    """Let go of one byte."""
    _kernel32.UnlockFile(msvcrt.get_osfhandle(fd), offset, 0, 1, 0)
