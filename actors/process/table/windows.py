"""Facts about processes on Windows, by handle; marks through psutil, imported on first use.

A process is opened first and compared then: as long as the handle is open its pid cannot be given
to another one, so what is ended is what was compared.
"""

from __future__ import annotations

import _winapi
import contextlib
import sys
from collections.abc import Container, Iterator

from bundlevisor.actors.process.table.by_psutil import mark_of
from bundlevisor.actors.process.table.found import Found, found_among
from bundlevisor.actors.process.windows import api

assert sys.platform == "win32"  # noqa: S101 - mypy reads what follows for Windows only

PROCESS_TERMINATE = 0x1


def created(pid: int) -> float | None:
    """Return when the process was created; None when there is none, or none that we may see."""
    if pid <= 0:
        return None
    try:
        with _opened(pid, api.PROCESS_QUERY_LIMITED_INFORMATION) as process:
            return api.created(process)
    except OSError:
        return None


def alive(pid: int, created: float) -> bool:
    """Whether the process runs, and is the one that was created then."""
    access = api.PROCESS_QUERY_LIMITED_INFORMATION | api.SYNCHRONIZE
    try:
        with _opened(pid, access) as process:
            return api.created(process) == created and api.runs(process)
    except OSError:
        return False


def census(prefix: str | tuple[str, ...], sessions: Container[int] = ()) -> list[Found]:
    """Return what :func:`found_among` finds among all processes."""
    import psutil

    return found_among(psutil.pids, mark_of, created, prefix, sessions)


def send(pid: int, created: float, number: int) -> bool:  # noqa: ARG001
    """End this process and no other, whatever the number; False when it is gone.

    PermissionError for a process of another user.
    """
    access = api.PROCESS_QUERY_LIMITED_INFORMATION | api.SYNCHRONIZE | PROCESS_TERMINATE
    try:
        with _opened(pid, access) as process:
            if api.created(process) != created or not api.runs(process):
                return False
            _winapi.TerminateProcess(process, api.ENDED_BY_US)
            return True
    except PermissionError:
        if alive(pid, created):
            raise
        return False
    except OSError:
        return False


def status_of(pid: int, created: float) -> int | None:
    """Return the exit code of a process that has ended, as a wait status (exit code * 256).

    None while it runs, and when nobody holds a handle to it any more.
    """
    access = api.PROCESS_QUERY_LIMITED_INFORMATION | api.SYNCHRONIZE
    try:
        with _opened(pid, access) as process:
            if api.created(process) != created or api.runs(process):
                return None
            return _winapi.GetExitCodeProcess(process) << 8
    except OSError:
        return None


@contextlib.contextmanager
def _opened(pid: int, access: int) -> Iterator[int]:
    process = _winapi.OpenProcess(access, False, pid)
    try:
        yield process
    finally:
        _winapi.CloseHandle(process)
