"""Noticing that a child has ended, as an event: pidfd_open(2) on Linux, kqueue(2) on macOS."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import time
from collections.abc import Callable

from bundlevisor.actors.loop.reactor import Loop

assert sys.platform != "win32"  # noqa: S101 - tells the type checker where this file belongs

AGAIN = 0.5
"""Seconds to the next look, or try, where the system gives nothing to wait with."""


def watch_exit(loop: Loop, pid: int, on_exit: Callable[[], None]) -> None:
    """Call ``on_exit`` once when a child has ended: on the loop's thread, or one of its own."""

    def in_a_thread() -> None:
        from bundlevisor.actors.loop.thread_start import start_thread

        try:
            start_thread(lambda: _wait(pid, on_exit))
        except RuntimeError:  # this user may have no more threads
            loop.call_at(time.monotonic() + AGAIN, lambda: watch_exit(loop, pid, on_exit))

    _watch(loop, pid, on_exit, in_a_thread)


def watch_process(loop: Loop, pid: int, on_exit: Callable[[], None]) -> None:
    """Call ``on_exit`` on the loop's thread when a process that is no child of ours has ended.

    Where there is no event for that, and it was the parent, the change of our own parent is looked
    for every half second.
    """
    _watch(loop, pid, on_exit, lambda: _poll_parent(loop, pid, on_exit))


def _poll_parent(loop: Loop, pid: int, on_exit: Callable[[], None]) -> None:
    if os.getppid() != pid:
        loop.call_soon(on_exit)
    else:
        loop.call_at(time.monotonic() + AGAIN, lambda: _poll_parent(loop, pid, on_exit))


def _watch(
    loop: Loop, pid: int, on_exit: Callable[[], None], otherwise: Callable[[], None]
) -> None:
    """Watch a process by a descriptor; ``otherwise`` where none is to be had, or to be watched."""
    try:
        fd, close = _watchable(pid)
    except OSError:
        otherwise()
        return

    def readable() -> None:
        loop.unwatch(fd)
        close()
        on_exit()

    def begin() -> None:
        try:
            loop.watch(fd, readable)
        except OSError:  # no memory, or too many watches of this user (epoll(7), max_user_watches)
            close()
            otherwise()

    loop.call_soon(begin)


if sys.platform == "linux":

    def _watchable(pid: int) -> tuple[int, Callable[[], None]]:
        """Return a descriptor that can be read once the process has ended; OSError without one."""
        fd = os.pidfd_open(pid)
        return fd, lambda: os.close(fd)

elif sys.platform == "darwin":

    def _watchable(pid: int) -> tuple[int, Callable[[], None]]:
        """Return a kqueue that can be read once the process has ended; OSError when it has."""
        queue = select.kqueue()
        flags = select.KQ_EV_ADD | select.KQ_EV_ONESHOT
        queue.control([select.kevent(pid, select.KQ_FILTER_PROC, flags, select.KQ_NOTE_EXIT)], 0)
        return queue.fileno(), queue.close

else:

    def _watchable(pid: int) -> tuple[int, Callable[[], None]]:
        raise OSError(f"this platform has no descriptor for the end of process {pid}")


if sys.platform == "darwin":

    def _wait(pid: int, on_exit: Callable[[], None]) -> None:
        """Wait without reaping, and without a kqueue: mostly it has ended before it was watched.

        Python has no waitid(2) on macOS before 3.13. Else it is looked for every 20 ms.
        """
        from bundlevisor.actors.process import table

        born = table.created(pid)
        while born is not None and table.alive(pid, born):
            time.sleep(0.02)
        on_exit()

else:

    def _wait(pid: int, on_exit: Callable[[], None]) -> None:
        """Wait without reaping: Linux before 5.3 and sandboxes that forbid pidfd_open."""
        with contextlib.suppress(ChildProcessError):
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        on_exit()
