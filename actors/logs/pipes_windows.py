"""Pipes on Windows: anonymous pipes cannot be waited for, so each has a thread that reads."""

from __future__ import annotations

import _winapi
import msvcrt
import os
import sys
import threading
import time
from collections.abc import Callable

from bundlevisor.actors.logs.pipe_copy import READ
from bundlevisor.actors.loop.reactor import Loop
from bundlevisor.actors.loop.thread_start import start_thread

assert sys.platform == "win32"  # noqa: S101 - tells the type checker where this file belongs

SIZE = 1024 * 1024
UNDER_WAY = 4
"""Blocks that the thread may be ahead of the loop, so that a slow disk costs no memory."""
DRAINING = 0.2
"""Seconds of a drain, at most."""
LOOK_EVERY = 0.005
"""Seconds between two looks of a drain; two empty ones in a row mean that the pipe is empty."""
AGAIN = 0.5
"""Seconds until a thread is asked for again where the system gives none."""
THREAD_TERMINATE = 1


def make() -> tuple[int, int]:
    """Return a new pipe's read end and write end, neither inheritable; both block."""
    read_handle, write_handle = _winapi.CreatePipe(None, SIZE)
    flags = os.O_BINARY | os.O_NOINHERIT
    return (
        msvcrt.open_osfhandle(read_handle, os.O_RDONLY | flags),
        msvcrt.open_osfhandle(write_handle, os.O_WRONLY | flags),
    )


def _read(fd: int) -> bytes:
    return os.read(fd, READ)


class PipeReader:
    """One pipe's read end, which it owns; everything but its thread on the loop's thread.

    ``take`` gets the bytes as they come, ``ended`` is called once, at the end of file. ``read`` is
    what reads from the descriptor, on the thread: READ bytes at most.
    """

    def __init__(
        self,
        loop: Loop,
        fd: int,
        take: Callable[[bytes], object],
        ended: Callable[[], object],
        read: Callable[[int], bytes] = _read,
    ) -> None:
        self._loop = loop
        self._fd = fd
        self._take = take
        self._ended = ended
        self._read_some = read
        self._over = False
        self._room = threading.Semaphore(UNDER_WAY)
        self._blocks = 0
        self._thread_id = 0

    def start(self) -> None:
        """Begin to read; where no thread is to be had, once there is one."""
        if self._over:
            os.close(self._fd)
            return
        try:
            start_thread(self._run)
        except RuntimeError:
            self._loop.call_at(time.monotonic() + AGAIN, self.start)

    def drain(self, done: Callable[[], object]) -> None:
        """Take what is in the pipe now, then call ``done``; never waits for the end of file.

        After ``DRAINING`` seconds it ends even if a survivor goes on writing.
        """
        self._look(done, time.monotonic() + DRAINING, -1)

    def close(self) -> None:
        """Let the thread end and close the descriptor, however long a survivor holds the pipe."""
        self._over = True
        self._room.release()
        self._cancel(tries=40)

    def _look(self, done: Callable[[], object], until: float, blocks: int) -> None:
        quiet = blocks == self._blocks and self._is_empty()
        if self._over or quiet or time.monotonic() >= until:
            done()
            return
        seen = self._blocks
        self._loop.call_at(time.monotonic() + LOOK_EVERY, lambda: self._look(done, until, seen))

    def _is_empty(self) -> bool:
        try:
            return _winapi.PeekNamedPipe(msvcrt.get_osfhandle(self._fd), 0)[0] == 0
        except OSError:
            return True

    def _cancel(self, tries: int) -> None:
        """Wake the thread out of ReadFile, which it may be just about to enter."""
        if tries == 0 or not self._thread_id:
            return
        _cancel_read(self._thread_id)
        self._loop.call_at(time.monotonic() + 0.05, lambda: self._cancel(tries - 1))

    def _run(self) -> None:
        self._thread_id = threading.get_native_id()
        try:
            while not self._over:
                self._room.acquire()
                data = b"" if self._over else self._read()
                self._loop.call_soon(lambda data=data: self._got(data))  # type: ignore[misc]
                if not data:
                    return
        finally:
            self._thread_id = 0
            os.close(self._fd)

    def _read(self) -> bytes:
        """Nothing more: the last writer has gone, or the read was cancelled."""
        try:
            return self._read_some(self._fd)
        except OSError:
            return b""

    def _got(self, data: bytes) -> None:
        self._blocks += 1
        self._room.release()
        if data:
            self._take(data)
        elif not self._over:
            self._over = True
            self._ended()


def _cancel_read(thread_id: int) -> None:
    import ctypes

    kernel32 = ctypes.WinDLL("kernel32")
    kernel32.OpenThread.restype = ctypes.c_void_p
    thread = ctypes.c_void_p(kernel32.OpenThread(THREAD_TERMINATE, False, thread_id))
    if thread:
        kernel32.CancelSynchronousIo(thread)
        kernel32.CloseHandle(thread)


def holders(fd: int) -> set[int]:  # noqa: ARG001 - the same on every platform
    """Nobody can be asked on Windows: the job of the service names its processes."""
    return set()
