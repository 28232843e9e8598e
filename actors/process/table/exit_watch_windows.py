"""Waiting for the end of processes by their handles, and for pipes and sockets beside them."""

from __future__ import annotations

import _winapi
import msvcrt
import select
import sys
import time
from collections.abc import Container

from bundlevisor.actors.process.windows import api

assert sys.platform == "win32"  # noqa: S101 - mypy reads what follows for Windows only

MOST = 60
"""Handles for one wait: Windows takes 64 (MAXIMUM_WAIT_OBJECTS)."""

LOOK = 0.02
"""Seconds between two looks where one wait cannot see everything."""


class ExitWatch:
    """Waits for ends, and for pipes and sockets that can be read.

    ``pipes`` are the descriptors that are pipes; whoever opens and closes some keeps it up to date.
    """

    def __init__(self, pipes: Container[int] = ()) -> None:
        self._pipes = pipes
        self._handles: dict[int, int] = {}

    def add(self, pid: int, created: float) -> bool:
        """Watch a process; False when it has ended already."""
        if pid not in self._handles:
            handle = _open(pid, created)
            if handle is None:
                return False
            self._handles[pid] = handle
        return api.runs(self._handles[pid])

    def wait(self, timeout: float, fds: list[int]) -> tuple[set[int], set[int]]:
        """Wait at most ``timeout`` s; return pids that ended and descriptors to be read."""
        until = time.monotonic() + max(0.0, timeout)
        while True:
            ready = {fd for fd in fds if self._can_be_read(fd)}
            ended = {pid for pid, handle in self._handles.items() if not api.runs(handle)}
            patience = until - time.monotonic()
            if ready or ended or patience <= 0:
                break
            self._sleep(min(patience, LOOK) if fds or len(self._handles) > MOST else patience)
        for pid in ended:
            _winapi.CloseHandle(self._handles.pop(pid))
        return ended, ready

    def close(self) -> None:
        """Let go of everything."""
        for handle in self._handles.values():
            _winapi.CloseHandle(handle)
        self._handles.clear()

    def _can_be_read(self, fd: int) -> bool:
        if fd not in self._pipes:
            return bool(select.select([fd], [], [], 0)[0])
        try:
            return _winapi.PeekNamedPipe(msvcrt.get_osfhandle(fd), 0)[-2] > 0
        except OSError:
            return True  # at its end

    def _sleep(self, seconds: float) -> None:
        handles = list(self._handles.values())[:MOST]
        if handles:
            _winapi.WaitForMultipleObjects(handles, False, int(seconds * 1000) + 1)
        else:
            time.sleep(seconds)


def _open(pid: int, created: float) -> int | None:
    access = api.SYNCHRONIZE | api.PROCESS_QUERY_LIMITED_INFORMATION
    try:
        handle = _winapi.OpenProcess(access, False, pid)
    except OSError:
        return None
    if api.created(handle) == created:
        return handle
    _winapi.CloseHandle(handle)
    return None
