"""The environment of another process, read so that Wine answers; it becomes a part of psutil there.

psutil asks how large the memory is in which it lies (VirtualQueryEx). Wine 8 has a thread of the
other process answer that, and waits for ever when this thread is just ending, with Python's lock in
hand: a process asked while it ended stopped whoever asked, time-outs and all. To read memory
(ReadProcessMemory) takes no thread over there.
"""

from __future__ import annotations

import ctypes
import errno
import sys
from ctypes import wintypes

assert sys.platform == "win32"

PAGE = 4096
LARGEST = 32 * 1024 * 1024
QUERY_AND_READ = 0x400 | 0x10
ACCESS_DENIED = 5
PEB_IN_BASIC_INFORMATION, PARAMETERS_IN_PEB, ENVIRONMENT_IN_PARAMETERS = 0x08, 0x20, 0x80
"""Offsets in bytes of 64-bit processes (winternl.h)."""

kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
ntdll = ctypes.WinDLL("ntdll")
kernel32.OpenProcess.restype = wintypes.HANDLE


def proc_environ(pid: int) -> str:
    """Return the block of ``NAME=value``, each ended by NUL, as psutil's own does.

    PermissionError, and ProcessLookupError for a process that is not there, or not any more.
    """
    opened = kernel32.OpenProcess(QUERY_AND_READ, False, pid)
    if not opened:
        raise _refusal(pid)
    process = wintypes.HANDLE(opened)
    try:
        return _block(process).decode("utf-16-le", "replace")
    except OSError:
        raise _refusal(pid) from None
    finally:
        kernel32.CloseHandle(process)


def _refusal(pid: int) -> OSError:
    if ctypes.get_last_error() == ACCESS_DENIED:
        return PermissionError(errno.EACCES, "it may not be read", str(pid))
    return ProcessLookupError(errno.ESRCH, "it is not there", str(pid))


def _block(process: wintypes.HANDLE) -> bytes:
    basic = (ctypes.c_uint64 * 6)()
    ntdll.NtQueryInformationProcess(process, 0, basic, ctypes.sizeof(basic), None)
    peb = basic[PEB_IN_BASIC_INFORMATION // 8]
    place = _pointer(
        process, _pointer(process, peb + PARAMETERS_IN_PEB) + ENVIRONMENT_IN_PARAMETERS
    )
    found = b""
    while len(found) < LARGEST:
        length = PAGE - (place + len(found)) % PAGE
        found += _read(process, place + len(found), length)
        for end in range(0, len(found) - 3, 2):
            if found[end : end + 4] == b"\0\0\0\0":
                return found[: end + 2]
    raise OSError("the environment has no end")


def _pointer(process: wintypes.HANDLE, place: int) -> int:
    return int.from_bytes(_read(process, place, 8), "little")


def _read(process: wintypes.HANDLE, place: int, length: int) -> bytes:
    into = ctypes.create_string_buffer(length)
    at = ctypes.c_void_p(place)
    if not kernel32.ReadProcessMemory(process, at, into, ctypes.c_size_t(length), None):
        raise OSError("the process has ended, or has not begun")
    return into.raw
