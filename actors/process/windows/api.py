"""The calls of kernel32 that Python does not offer, declared for ctypes. Windows only.

Names, values and layouts are those of the Windows SDK (winbase.h, winnt.h, processthreadsapi.h).
Handles are plain ints here, as in ``_winapi`` and ``msvcrt``.
"""

from __future__ import annotations

import _winapi
import ctypes
import sys
from ctypes import POINTER, Structure, byref, c_size_t, c_void_p, wintypes

assert sys.platform == "win32"  # noqa: S101 - mypy reads what follows for Windows only

kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)

ENDED_BY_US = 1
"""The exit code of a process that was terminated, as Popen.kill and the task list use it."""
CREATE_SUSPENDED = 0x4
CREATE_UNICODE_ENVIRONMENT = 0x400
EXTENDED_STARTUPINFO_PRESENT = 0x80000
STARTF_USESTDHANDLES = 0x100
SYNCHRONIZE = 0x100000
PROCESS_QUERY_LIMITED_INFORMATION = 0x1000
CTRL_BREAK_EVENT = 1
ERROR_INVALID_PARAMETER = 87
ERROR_NOT_SUPPORTED = 50
ERROR_MORE_DATA = 234
EPOCH = 116_444_736_000_000_000
"""1970-01-01 as a FILETIME: units of 100 ns since 1601."""

JOB_BASIC_PROCESS_IDS = 3
JOB_EXTENDED_LIMITS = 9
LIMIT_DIE_ON_UNHANDLED_EXCEPTION = 0x400
LIMIT_KILL_ON_JOB_CLOSE = 0x2000

ATTRIBUTE_HANDLE_LIST = 0x20002
ATTRIBUTE_JOB_LIST = 0x2000D


class IoCounters(Structure):
    """IO_COUNTERS: a part of the limits that nobody sets."""

    _fields_ = [(f"count{i}", ctypes.c_uint64) for i in range(6)]


class BasicLimits(Structure):
    """JOBOBJECT_BASIC_LIMIT_INFORMATION."""

    _fields_ = [
        ("process_time", ctypes.c_int64),
        ("job_time", ctypes.c_int64),
        ("flags", wintypes.DWORD),
        ("minimum_working_set", c_size_t),
        ("maximum_working_set", c_size_t),
        ("active_processes", wintypes.DWORD),
        ("affinity", c_size_t),
        ("priority_class", wintypes.DWORD),
        ("scheduling_class", wintypes.DWORD),
    ]


class ExtendedLimits(Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION."""

    _fields_ = [
        ("basic", BasicLimits),
        ("io", IoCounters),
        ("process_memory", c_size_t),
        ("job_memory", c_size_t),
        ("peak_process_memory", c_size_t),
        ("peak_job_memory", c_size_t),
    ]


class StartupInfo(Structure):
    """STARTUPINFOEXW."""

    _fields_ = [
        ("size", wintypes.DWORD),
        ("reserved", wintypes.LPWSTR),
        ("desktop", wintypes.LPWSTR),
        ("title", wintypes.LPWSTR),
        ("position", wintypes.DWORD * 7),
        ("flags", wintypes.DWORD),
        ("show", wintypes.WORD),
        ("reserved_size", wintypes.WORD),
        ("reserved_bytes", c_void_p),
        ("stdin", wintypes.HANDLE),
        ("stdout", wintypes.HANDLE),
        ("stderr", wintypes.HANDLE),
        ("attributes", c_void_p),
    ]


class ProcessInformation(Structure):
    """PROCESS_INFORMATION."""

    _fields_ = [
        ("process", wintypes.HANDLE),
        ("thread", wintypes.HANDLE),
        ("pid", wintypes.DWORD),
        ("tid", wintypes.DWORD),
    ]


def _declare(name: str, result: object, *arguments: object) -> None:
    function = getattr(kernel32, name)
    function.restype = result
    function.argtypes = arguments


_declare("CreateJobObjectW", wintypes.HANDLE, c_void_p, wintypes.LPCWSTR)
_declare("SetInformationJobObject", wintypes.BOOL, wintypes.HANDLE, ctypes.c_int, c_void_p,
         wintypes.DWORD)  # fmt: skip
_declare("QueryInformationJobObject", wintypes.BOOL, wintypes.HANDLE, ctypes.c_int, c_void_p,
         wintypes.DWORD, c_void_p)  # fmt: skip
_declare("AssignProcessToJobObject", wintypes.BOOL, wintypes.HANDLE, wintypes.HANDLE)
_declare("TerminateJobObject", wintypes.BOOL, wintypes.HANDLE, wintypes.UINT)
_declare("InitializeProcThreadAttributeList", wintypes.BOOL, c_void_p, wintypes.DWORD,
         wintypes.DWORD, POINTER(c_size_t))  # fmt: skip
_declare("UpdateProcThreadAttribute", wintypes.BOOL, c_void_p, wintypes.DWORD, c_size_t, c_void_p,
         c_size_t, c_void_p, c_void_p)  # fmt: skip
_declare("DeleteProcThreadAttributeList", None, c_void_p)
_declare("CreateProcessW", wintypes.BOOL, wintypes.LPCWSTR, wintypes.LPWSTR, c_void_p, c_void_p,
         wintypes.BOOL, wintypes.DWORD, c_void_p, wintypes.LPCWSTR, POINTER(StartupInfo),
         POINTER(ProcessInformation))  # fmt: skip
_declare("ResumeThread", wintypes.DWORD, wintypes.HANDLE)
_declare("GetProcessTimes", wintypes.BOOL, wintypes.HANDLE, *[POINTER(wintypes.FILETIME)] * 4)
_declare("QueryFullProcessImageNameW", wintypes.BOOL, wintypes.HANDLE, wintypes.DWORD,
         wintypes.LPWSTR, POINTER(wintypes.DWORD))  # fmt: skip
_declare("SetNamedPipeHandleState", wintypes.BOOL, wintypes.HANDLE, POINTER(wintypes.DWORD),
         c_void_p, c_void_p)  # fmt: skip
_declare("GetConsoleProcessList", wintypes.DWORD, POINTER(wintypes.DWORD), wintypes.DWORD)
_declare("GenerateConsoleCtrlEvent", wintypes.BOOL, wintypes.DWORD, wintypes.DWORD)
_declare("AttachConsole", wintypes.BOOL, wintypes.DWORD)
_declare("CreateEventW", wintypes.HANDLE, c_void_p, wintypes.BOOL, wintypes.BOOL, wintypes.LPCWSTR)
_declare("OutputDebugStringW", None, wintypes.LPCWSTR)
_declare("SetEvent", wintypes.BOOL, wintypes.HANDLE)
_declare("SetConsoleCtrlHandler", wintypes.BOOL, c_void_p, wintypes.BOOL)


def error(about: str | None = None) -> OSError:
    """Return the OSError (of the fitting subclass) for the last call that failed on this thread."""
    code = ctypes.get_last_error()
    return OSError(0, ctypes.FormatError(code).strip(), about, code)


def created(process: int) -> float:
    """Return when a process (by handle) was created, in seconds since 1970; OSError."""
    times = [wintypes.FILETIME() for _ in range(4)]
    if not kernel32.GetProcessTimes(process, *(byref(time) for time in times)):
        raise error()
    since_1601 = int(times[0].dwHighDateTime) << 32 | int(times[0].dwLowDateTime)
    return (since_1601 - EPOCH) / 10_000_000


def runs(process: int) -> bool:
    """Whether a process (by handle) has not ended yet."""
    return _winapi.WaitForSingleObject(process, 0) != _winapi.WAIT_OBJECT_0


def new_event() -> int:
    """Return the handle of an event that stays set once it is set; OSError."""
    event: int | None = kernel32.CreateEventW(None, True, False, None)
    if not event:
        raise error()
    return event


def set_event(event: int) -> None:
    """Set an event; nothing happens when the handle is none."""
    kernel32.SetEvent(event)
