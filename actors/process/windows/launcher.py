"""Who started the runtime when that was by a launcher, whose life says nothing of the shell's.

What pip puts beside the environment's Python is an ``.exe`` that starts the Python, and the Python
of a virtual environment is an ``.exe`` that starts the base one. Both wait for the end of what they
have started, whoever started them ends or not.
"""

from __future__ import annotations

import _winapi
import contextlib
import ctypes
import os
import sys
from collections.abc import Collection, Iterator
from ctypes import byref, sizeof, wintypes

from bundlevisor.actors.process.windows import api

assert sys.platform == "win32"  # noqa: S101 - mypy reads what follows for Windows only

LONGEST_PATH = 32_768
BASIC_INFORMATION = 0
"""PROCESSINFOCLASS, ProcessBasicInformation."""


class BasicInformation(ctypes.Structure):
    """PROCESS_BASIC_INFORMATION."""

    _fields_ = [
        ("exit_status", ctypes.c_void_p),
        ("peb", ctypes.c_void_p),
        ("affinity", ctypes.c_void_p),
        ("priority", ctypes.c_void_p),
        ("pid", ctypes.c_size_t),
        ("parent", ctypes.c_size_t),
    ]


def launchers() -> set[str]:
    """Return the programs, as :func:`os.path.normcase` writes them, that may have launched us."""
    base = sys._base_executable  # type: ignore[attr-defined]
    named = [] if sys.executable == base else [sys.executable]
    named += [word for word in sys.orig_argv[1:2] if word.lower().endswith(".exe")]
    return {os.path.normcase(os.path.abspath(name)) for name in named}


def starters(parent: int, launchers: Collection[str]) -> list[int]:
    """Return the parent and, as long as the last one is a launcher, who started that.

    A process that is gone, or that Windows does not let us look at, ends the list.
    """
    found = [parent]
    with contextlib.suppress(OSError):
        while launchers and (above := _starter_of(found[-1], launchers)):
            found.append(above)
    return found


def _starter_of(pid: int, launchers: Collection[str]) -> int:
    """Return who started a process if it is a launcher, and is still there; else 0."""
    with _opened(pid) as process:
        if os.path.normcase(_image(process)) not in launchers:
            return 0
        above, born = _parent(process), api.created(process)
    with _opened(above) as process:
        return above if api.created(process) <= born else 0  # or it only has the number


@contextlib.contextmanager
def _opened(pid: int) -> Iterator[int]:
    process = _winapi.OpenProcess(api.PROCESS_QUERY_LIMITED_INFORMATION, False, pid)
    try:
        yield process
    finally:
        _winapi.CloseHandle(process)


def _image(process: int) -> str:
    name, size = ctypes.create_unicode_buffer(LONGEST_PATH), wintypes.DWORD(LONGEST_PATH)
    if not api.kernel32.QueryFullProcessImageNameW(process, 0, name, byref(size)):
        raise api.error()
    return name.value


def _parent(process: int) -> int:
    query = ctypes.WinDLL("ntdll").NtQueryInformationProcess
    query.argtypes = (
        wintypes.HANDLE,
        ctypes.c_int,
        ctypes.c_void_p,
        wintypes.ULONG,
        ctypes.c_void_p,
    )
    about = BasicInformation()
    status = query(process, BASIC_INFORMATION, byref(about), sizeof(about), None)
    if status:
        raise OSError(f"NtQueryInformationProcess: {status & 0xFFFFFFFF:#x}")
    return int(about.parent)
