"""CreateProcessW with exactly the handles and jobs that a service is to have.

``subprocess`` can limit the handles but not name jobs. A child that is born in its jobs
(PROC_THREAD_ATTRIBUTE_JOB_LIST, Windows 10) cannot be missed: with creation and assignment in two
steps, a runtime that is ended between them leaves a process behind that nobody knows.
"""

from __future__ import annotations

import _winapi
import contextlib
import ctypes
import msvcrt
import os
import sys
from collections.abc import Iterator, Sequence
from ctypes import byref, sizeof

import msgspec

from bundlevisor.actors.process.windows import api, jobs as windows_jobs
from bundlevisor.actors.process.windows.command import Command

assert sys.platform == "win32"  # noqa: S101 - mypy reads what follows for Windows only


class Created(msgspec.Struct, frozen=True):
    """A process that runs; the handle is the caller's to close."""

    process: int
    pid: int


class Attributes:
    """A PROC_THREAD_ATTRIBUTE_LIST for two attributes; keeps alive what the list points to."""

    def __init__(self) -> None:
        size = ctypes.c_size_t()
        api.kernel32.InitializeProcThreadAttributeList(None, 2, 0, byref(size))
        self._buffer = ctypes.create_string_buffer(size.value)
        self._kept: list[object] = []
        if not api.kernel32.InitializeProcThreadAttributeList(self._buffer, 2, 0, byref(size)):
            raise api.error()

    @property
    def address(self) -> int:
        """Where the list lies, for STARTUPINFOEX."""
        return ctypes.addressof(self._buffer)

    def add(self, attribute: int, handles: Sequence[int]) -> None:
        """Set an attribute whose value is an array of handles; OSError."""
        array = (ctypes.c_void_p * len(handles))(*handles)
        self._kept.append(array)
        put = (self._buffer, 0, attribute, byref(array), sizeof(array), None, None)
        if not api.kernel32.UpdateProcThreadAttribute(*put):
            raise api.error()

    def delete(self) -> None:
        """Free what the system holds for the list."""
        api.kernel32.DeleteProcThreadAttributeList(self._buffer)


def create(
    command: Command,
    environment: str,
    *,
    cwd: str,
    output: int,
    jobs: Sequence[windows_jobs.Job],
    flags: int,
) -> Created:
    """Start a process in ``jobs``, outermost first; OSError with the program's name.

    Its stdin is NUL, its stdout and stderr the descriptor ``output``; it inherits nothing else.
    """
    attributes = Attributes()
    try:
        with _inheritable(output) as (nul, pipe):
            attributes.add(api.ATTRIBUTE_HANDLE_LIST, [nul, pipe])
            startup = api.StartupInfo(
                size=sizeof(api.StartupInfo),
                flags=api.STARTF_USESTDHANDLES,
                stdin=nul,
                stdout=pipe,
                stderr=pipe,
                attributes=attributes.address,
            )
            if _offer(attributes, jobs):
                made = _create_process(command, environment, cwd, flags, startup)
            else:
                made = _create_process(
                    command, environment, cwd, flags | api.CREATE_SUSPENDED, startup
                )
                _assign(made, jobs)
    finally:
        attributes.delete()
    _winapi.CloseHandle(made.thread)
    return Created(process=made.process, pid=made.pid)


def _offer(attributes: Attributes, jobs: Sequence[windows_jobs.Job]) -> bool:
    """Ask for birth in the jobs; False where Windows (before 10) does not know how."""
    try:
        attributes.add(api.ATTRIBUTE_JOB_LIST, [job.handle for job in jobs])
    except OSError as error:
        if error.winerror in (api.ERROR_NOT_SUPPORTED, api.ERROR_INVALID_PARAMETER):
            return False
        raise
    return True


@contextlib.contextmanager
def _inheritable(output: int) -> Iterator[tuple[int, int]]:
    """Yield NUL and the output as handles that can be inherited, for the length of a spawn."""
    nul = os.open(os.devnull, os.O_RDONLY | os.O_NOINHERIT)
    ready: list[int] = []
    try:
        ready.append(_duplicate(msvcrt.get_osfhandle(nul)))
        ready.append(_duplicate(msvcrt.get_osfhandle(output)))
        yield ready[0], ready[1]
    finally:
        for handle in ready:
            _winapi.CloseHandle(handle)
        os.close(nul)


def _duplicate(handle: int) -> int:
    ours = _winapi.GetCurrentProcess()
    return _winapi.DuplicateHandle(ours, handle, ours, 0, True, _winapi.DUPLICATE_SAME_ACCESS)


def _create_process(
    command: Command, environment: str, cwd: str, flags: int, startup: api.StartupInfo
) -> api.ProcessInformation:
    made = api.ProcessInformation()
    if not api.kernel32.CreateProcessW(
        command.application,
        ctypes.create_unicode_buffer(command.line),
        None,
        None,
        True,
        flags | api.CREATE_UNICODE_ENVIRONMENT | api.EXTENDED_STARTUPINFO_PRESENT,
        ctypes.create_unicode_buffer(environment),
        cwd,
        byref(startup),
        byref(made),
    ):
        raise api.error(command.application)
    return made


def _assign(made: api.ProcessInformation, jobs: Sequence[windows_jobs.Job]) -> None:
    """Put a suspended process in its jobs and let it run; it does not live outside of them."""
    try:
        for job in jobs:
            job.assign(made.process)
    except OSError:
        _winapi.TerminateProcess(made.process, api.ENDED_BY_US)
        _winapi.CloseHandle(made.thread)
        _winapi.CloseHandle(made.process)
        raise
    api.kernel32.ResumeThread(made.thread)
