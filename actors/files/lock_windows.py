"""The instance lock on Windows: one byte far behind the file's end, so that the file is readable.

LockFile allows a region beyond the end, and Windows lets go when the process ends.
"""

from __future__ import annotations

import ctypes
import msvcrt
import sys
from ctypes import wintypes

assert sys.platform == "win32"  # noqa: S101 - tells the type checker where this file belongs

REGION = (1 << 30, 0, 1, 0)
"""Offset and length, each as low and high 32 bits."""
ERROR_LOCK_VIOLATION = 33

_kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
_kernel32.LockFile.argtypes = (wintypes.HANDLE, *(wintypes.DWORD,) * 4)
_kernel32.UnlockFile.argtypes = (wintypes.HANDLE, *(wintypes.DWORD,) * 4)


def acquire(fd: int) -> bool:
    """Take the lock without waiting; False when another process holds it. Raises OSError."""
    if _kernel32.LockFile(msvcrt.get_osfhandle(fd), *REGION):
        return True
    code = ctypes.get_last_error()
    if code == ERROR_LOCK_VIOLATION:
        return False
    raise ctypes.WinError(code)


def release(fd: int) -> None:
    """Let go."""
    _kernel32.UnlockFile(msvcrt.get_osfhandle(fd), *REGION)
