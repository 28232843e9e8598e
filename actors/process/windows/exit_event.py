"""The end of a process, as an event: a thread that waits on the handle."""

from __future__ import annotations

import _winapi
import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from bundlevisor.actors.loop.thread_start import start_thread
from bundlevisor.actors.process.windows import api

if TYPE_CHECKING:
    from bundlevisor.actors.loop.reactor import Loop

assert sys.platform == "win32"  # noqa: S101 - mypy reads what follows for Windows only

AGAIN = 0.5
"""Seconds until a thread is asked for again where the system gives none."""


def watch_process(loop: Loop, pid: int, on_exit: Callable[[], None]) -> None:
    """Call ``on_exit`` once, from a thread of its own, when the process has ended or was gone.

    Windows re-parents nobody: a parent that is younger than its child only has the number of the
    parent that was, and counts as gone. A process that Windows does not let us look at (another
    user's, or an elevated one) is not watched: ``on_exit`` is never called.
    """
    try:
        process = _open(pid)
    except OSError:
        return
    if process is not None and pid == os.getppid() and _is_younger_than_this(process):
        _winapi.CloseHandle(process)
        process = None
    wait_for(loop, process, on_exit)


def wait_for(loop: Loop, process: int | None, on_exit: Callable[[], None]) -> None:
    """Call ``on_exit`` from a new thread when the handle's process has ended; closes it then."""
    try:
        start_thread(lambda: _wait(process, on_exit))
    except RuntimeError:
        loop.call_at(time.monotonic() + AGAIN, lambda: wait_for(loop, process, on_exit))


def _wait(process: int | None, on_exit: Callable[[], None]) -> None:
    if process is not None:
        _winapi.WaitForSingleObject(process, _winapi.INFINITE)
        _winapi.CloseHandle(process)
    on_exit()


def _open(pid: int) -> int | None:
    """Return a handle to wait on, None when there is no such process."""
    access = api.SYNCHRONIZE | api.PROCESS_QUERY_LIMITED_INFORMATION
    try:
        return _winapi.OpenProcess(access, False, pid)
    except OSError as error:
        if error.winerror == api.ERROR_INVALID_PARAMETER:
            return None
        raise


def _is_younger_than_this(process: int) -> bool:
    return api.created(process) > api.created(_winapi.GetCurrentProcess())
