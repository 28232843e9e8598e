"""Waiting for the end of processes that are not our children, without polling."""

from __future__ import annotations

import os
import select
import sys

from bundlevisor.actors.process.table import alive, may_be_alive

if sys.platform == "darwin":

    class ExitWatch:
        """Waits for ends (kqueue(2), EVFILT_PROC) and for descriptors that can be read."""

        def __init__(self) -> None:
            self._queue = select.kqueue()
            self._watched: set[int] = set()

        def add(self, pid: int, created: float) -> bool:
            """Watch a process; False when it has ended already."""
            if pid not in self._watched:
                flags = select.KQ_EV_ADD | select.KQ_EV_ONESHOT
                event = select.kevent(pid, select.KQ_FILTER_PROC, flags, select.KQ_NOTE_EXIT)
                try:
                    self._queue.control([event], 0)
                except OSError:
                    return False
                self._watched.add(pid)
            return alive(pid, created)

        def wait(self, timeout: float, fds: list[int]) -> tuple[set[int], set[int]]:
            """Wait at most ``timeout`` s; return pids that ended and descriptors to be read."""
            flags = select.KQ_EV_ADD | select.KQ_EV_ONESHOT
            reads = [select.kevent(fd, select.KQ_FILTER_READ, flags) for fd in fds]
            ended, ready = set(), set()
            for event in self._queue.control(reads, 64 + len(fds), max(0.0, timeout)):
                if event.filter == select.KQ_FILTER_PROC:
                    ended.add(event.ident)
                else:
                    ready.add(event.ident)
            self._watched -= ended
            for fd in set(fds) - ready:
                self._queue.control(
                    [select.kevent(fd, select.KQ_FILTER_READ, select.KQ_EV_DELETE)], 0
                )
            return ended, ready

        def close(self) -> None:
            """Let go of everything."""
            self._queue.close()

elif sys.platform != "win32":

    class ExitWatch:
        """Waits for ends (pidfd_open(2)) and for descriptors that can be read.

        Where the kernel has no pidfd (before 5.3, some sandboxes) an end is looked for every 20 ms.
        """

        def __init__(self) -> None:
            self._poll = select.poll()
            self._pids: dict[int, int] = {}
            self._watched: set[int] = set()
            self._blind: dict[int, float] = {}

        def add(self, pid: int, created: float) -> bool:
            """Watch a process; False when it has ended already."""
            there = may_be_alive(pid, created)
            if there and pid not in self._watched:
                self._open(pid, created)
                there = may_be_alive(pid, created)
            return there

        def wait(self, timeout: float, fds: list[int]) -> tuple[set[int], set[int]]:
            """Wait at most ``timeout`` s; return pids that ended and descriptors to be read."""
            for fd in fds:
                self._poll.register(fd, select.POLLIN)
            if self._blind:
                timeout = min(timeout, 0.02)
            ready = {fd for fd, _ in self._poll.poll(max(0.0, timeout) * 1000)}
            for fd in fds:
                self._poll.unregister(fd)
            ended = {self._ended(fd) for fd in ready if fd in self._pids} | self._look()
            self._watched -= ended
            return ended, ready & set(fds)

        def close(self) -> None:
            """Let go of everything."""
            for fd in self._pids:
                os.close(fd)
            self._pids.clear()

        def _open(self, pid: int, created: float) -> None:
            self._watched.add(pid)
            try:
                fd = os.pidfd_open(pid)
            except OSError:
                self._blind[pid] = created
                return
            self._pids[fd] = pid
            self._poll.register(fd, select.POLLIN)

        def _ended(self, fd: int) -> int:
            self._poll.unregister(fd)
            os.close(fd)
            return self._pids.pop(fd)

        def _look(self) -> set[int]:
            there = {p for p, birth in self._blind.items() if may_be_alive(p, birth)}
            ended = self._blind.keys() - there
            for pid in ended:
                del self._blind[pid]
            return ended
