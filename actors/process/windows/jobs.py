"""Job objects: a set of processes that children join at birth and that can be ended as one.

Every process of a service is in two nested jobs. The inner one is the service's own tree: it is
listed and terminated as a whole. The outer one, shared by all services, ends whatever is in it
when its last handle is closed; the runtime and its guardian each hold one.

The runtime itself stays out of the outer job. A shell built on libuv (Electron) keeps the runtime
in a job of the shell's, which lets children break away; were the runtime's innermost job ours, its
children would not break away but stay in the shell's job too, and die with the shell before they
could be asked to stop (Microsoft, 'Nested Jobs': only the immediate job's breakaway counts).
"""

from __future__ import annotations

import _winapi
import ctypes
import functools
import sys
from ctypes import byref, sizeof, wintypes

from bundlevisor.actors.process.windows import api, owned_handle

assert sys.platform == "win32"  # noqa: S101 - mypy reads what follows for Windows only


class Job:
    """One job object; no child inherits its handle. Any thread may ask, also when it is closed."""

    def __init__(self, handle: int) -> None:
        self._owned = owned_handle.OwnedHandle(handle)

    @property
    def handle(self) -> int:
        """The handle, to give to others; 0 once it is closed."""
        return self._owned.number

    def assign(self, process: int) -> None:
        """Put a process (by handle) in, with the children it will have; OSError."""
        with self._owned.use() as handle:
            if not api.kernel32.AssignProcessToJobObject(handle, process):
                raise api.error()

    def pids(self) -> list[int]:
        """Return the processes that are alive in this job, none of a closed one; OSError."""
        with self._owned.use() as handle:
            return _pids(handle) if handle else []

    def terminate(self) -> None:
        """End every process in it at once; an empty job is success, and a closed one. OSError."""
        with self._owned.use() as handle:
            if handle and not api.kernel32.TerminateJobObject(handle, api.ENDED_BY_US):
                raise api.error()

    def duplicate_into(self, process: int) -> None:
        """Give another process (by handle) a handle of its own, which it knows nothing of."""
        ours, same = _winapi.GetCurrentProcess(), _winapi.DUPLICATE_SAME_ACCESS
        with self._owned.use() as handle:
            _winapi.DuplicateHandle(ours, handle, process, 0, False, same)

    def close(self) -> None:
        """Let the job go; again is success. Its processes live on unless it kills on close."""
        self._owned.close()


def create(*, kill_on_close: bool) -> Job:
    """Make an empty job without a name, so that nobody else can open it; OSError.

    No process can break away from it, and none shows the dialogue that waits for the user after a
    crash.
    """
    handle = api.kernel32.CreateJobObjectW(None, None)
    if not handle:
        raise api.error()
    limits = api.ExtendedLimits()
    limits.basic.flags = api.LIMIT_DIE_ON_UNHANDLED_EXCEPTION
    if kill_on_close:
        limits.basic.flags |= api.LIMIT_KILL_ON_JOB_CLOSE
    set_to = (handle, api.JOB_EXTENDED_LIMITS, byref(limits), sizeof(limits))
    if not api.kernel32.SetInformationJobObject(*set_to):
        failure = api.error()
        _winapi.CloseHandle(handle)
        raise failure
    return Job(handle)


@functools.cache
def runtime_job() -> Job:
    """Return the job around all services of this runtime, made on first use; OSError.

    The runtime gives its guardian a handle before anything is spawned, and never closes its own.
    """
    return create(kill_on_close=True)


def _pids(handle: int) -> list[int]:
    room = 16
    while True:
        held = _ids(room)()
        size = sizeof(held)
        known = api.kernel32.QueryInformationJobObject(
            handle, api.JOB_BASIC_PROCESS_IDS, byref(held), size, None
        )
        if known and held.assigned <= room:
            return list(held.pids[: held.listed])
        if not known and ctypes.get_last_error() != api.ERROR_MORE_DATA:
            raise api.error()
        room = max(2 * room, held.assigned)


@functools.cache
def _ids(room: int) -> type[ctypes.Structure]:
    """Return JOBOBJECT_BASIC_PROCESS_ID_LIST with room for so many pids."""

    class ProcessIds(ctypes.Structure):
        _fields_ = [
            ("assigned", wintypes.DWORD),
            ("listed", wintypes.DWORD),
            ("pids", ctypes.c_size_t * room),
        ]

    return ProcessIds
