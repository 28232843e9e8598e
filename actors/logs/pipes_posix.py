"""Pipes on POSIX: read by a loop, without blocking, fairly."""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from bundlevisor.actors.logs.pipe_copy import READ
from bundlevisor.actors.loop.reactor import Loop

assert sys.platform != "win32"  # noqa: S101 - tells the type checker where this file belongs

FLOOD = 1024 * 1024
"""Bytes that the pipe of a service which floods may hold."""
FULL_OFTEN = 4
"""So many times a pipe has been found full, and its writer waiting, before it counts as a flood."""
READS_PER_TURN = 4
"""Then the other pipes have their turn: 256 KiB, a quarter of a millisecond."""
LOOK_EVERY = 0.05
"""Seconds between two reads of a pipe that cannot be watched; 5 MB a second pass in them."""

_GET_SIZE = getattr(fcntl, "F_GETPIPE_SZ", None)
_SET_SIZE = getattr(fcntl, "F_SETPIPE_SZ", None)


def make() -> tuple[int, int]:
    """Return a new pipe's read end (non-blocking) and write end (blocking), neither inheritable.

    It has the system's size, 64 KiB on Linux, until its reader meets a flood.
    """
    read_fd, write_fd = os.pipe()
    os.set_blocking(read_fd, False)
    return read_fd, write_fd


def widen(fd: int) -> None:
    """Let a pipe hold ``FLOOD`` bytes, or as many as the system allows; ends of it may be in use.

    Linux only. A user without privileges has 64 MiB for all pipes, those of other programs
    included, and past them new pipes hold one page (pipe(7)): so only floods are worth it.
    """
    size = FLOOD
    while _SET_SIZE is not None and size > READ:
        try:
            fcntl.fcntl(fd, _SET_SIZE, size)
        except OSError:
            size //= 2
        else:
            return


def _read(fd: int) -> bytes:
    return os.read(fd, READ)


class PipeReader:
    """One pipe's read end, which it owns; everything on the loop's thread.

    ``take`` gets the bytes as they come, ``ended`` is called once, at the end of file. ``read`` is
    what reads from the descriptor: READ bytes at most.
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
        self._full = 0

    def start(self) -> None:
        """Begin to read: now and then as long as the loop cannot watch the descriptor."""
        os.set_blocking(self._fd, False)
        self._watch()

    def _watch(self) -> None:
        if self._fd < 0:
            return
        try:
            self._loop.watch(self._fd, lambda: self._read(READS_PER_TURN * READ))
        except OSError:  # no memory, or too many watches of this user (epoll(7), max_user_watches)
            self._loop.call_at(time.monotonic() + LOOK_EVERY, self._watch)
            self._read(READS_PER_TURN * READ)

    def drain(self, done: Callable[[], object]) -> None:
        """Take what is in the pipe now, then call ``done``; never waits for the end of file.

        No more than the pipe holds: what was in it when the drain began is out of it then, even
        if a survivor goes on writing.
        """
        self._read(self._capacity())
        done()

    def close(self) -> None:
        """Give the descriptor back; a writer that is left gets EPIPE."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            self._loop.unwatch(fd)
            os.close(fd)

    def _read(self, at_most: int) -> None:
        while at_most > 0 and self._fd >= 0:
            try:
                data = self._read_some(self._fd)
            except BlockingIOError:
                return
            if not data:
                self.close()
                self._ended()
                return
            at_most -= len(data)
            self._take(data)
            if len(data) == READ:
                self._was_full()

    def _was_full(self) -> None:
        self._full += 1
        if self._full == FULL_OFTEN and self._fd >= 0:
            widen(self._fd)

    def _capacity(self) -> int:
        if _GET_SIZE is not None and self._fd >= 0:
            with suppress(OSError):
                return fcntl.fcntl(self._fd, _GET_SIZE)
        return FLOOD


def holders(fd: int) -> set[int]:
    """Return the pids, other than our own, that can write to the pipe that ``fd`` reads.

    Linux only, and only processes that we may look into; elsewhere empty. Walks all of /proc,
    which takes milliseconds: not for a loop or an actor. Raises OSError for a closed descriptor.
    """
    pipe = f"pipe:[{os.fstat(fd).st_ino}]"
    if not os.path.isdir("/proc/self/fdinfo"):
        return set()
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return {pid for pid in pids if pid != os.getpid() and _writes_to(pid, pipe)}


def _writes_to(pid: int, pipe: str) -> bool:
    return any(_is_writable(pid, fd) for fd in _descriptors(pid, pipe))


def _descriptors(pid: int, target: str) -> Iterator[str]:
    with suppress(OSError):
        for fd in os.listdir(f"/proc/{pid}/fd"):
            with suppress(OSError):
                if os.readlink(f"/proc/{pid}/fd/{fd}") == target:
                    yield fd


def _is_writable(pid: int, fd: str) -> bool:
    """Read the octal ``flags`` of proc(5)'s fdinfo: its last digit is the access mode."""
    with suppress(OSError), open(f"/proc/{pid}/fdinfo/{fd}", "rb") as file:
        for line in file:
            if line.startswith(b"flags:"):
                return int(line.split()[1], 8) & os.O_ACCMODE != os.O_RDONLY
    return False
