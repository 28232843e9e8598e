"""Processes on Linux and macOS: a session for each service, signals to the whole of it."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from bundlevisor.actors.process import fork_exec, table, tree
from bundlevisor.actors.process.spawn_request import SpawnRequest
from bundlevisor.actors.process.table.found import session_of

if TYPE_CHECKING:
    from bundlevisor.actors.loop.reactor import Loop

assert sys.platform != "win32"  # noqa: S101 - tells the type checker where this file belongs

__all__ = ["LEADER_ALONE", "SOCKET_ACTIVATION", "Child", "encode", "spawn"]

encode = fork_exec.encode

SOCKET_ACTIVATION = True
"""Listening sockets can be handed over."""

LEADER_ALONE = True
"""A signal can be sent to one process of a tree."""

HANDED_OVER = 3
"""The first descriptor that is handed over: SD_LISTEN_FDS_START of sd_listen_fds(3)."""

ACTIVATE = 'cd "$1" && shift && LISTEN_PID=$$ && export LISTEN_PID && exec "$@"'
"""exec keeps the pid, so the shell can name the one that sd_listen_fds(3) compares."""

TAKEN = "DYLD_"
"""How variables begin that macOS takes from its own programs, as the shell is one; dyld(1)."""

KEPT = "BUNDLEVISOR_KEPT_"
"""What is put before their names until the shell has them."""

NOT_YET = 0.002
"""Seconds to the next try to reap what has ended."""


class Child:
    """The leader of a session that was spawned here, and everything that came out of it.

    Until the leader is reaped its pid, and the group's and the session's number, can belong to
    nobody else; afterwards every process is compared by its create time before it is signalled.
    """

    def __init__(
        self, pid: int, wait: Callable[[], int | None], instance: str, serial: int
    ) -> None:
        self.pid = pid
        self.instance = instance
        self.session = pid
        self._wait = wait
        self._waiting = threading.Lock()
        self._status: int | None = None
        self._serial = serial
        tree.register_child(pid)
        self.created = table.created(pid) or 0.0
        tree.add_tree(pid, self.created, instance, serial)

    def poll(self) -> int | None:
        """Reap the leader if it has ended: its exit status, negative for a signal, else None."""
        with self._waiting:
            if self._status is None:
                self._status = self._wait()
                if self._status is not None:
                    tree.unregister_child(self.pid)
            return self._status

    def watch_exit(self, loop: Loop, on_exit: Callable[[], None]) -> None:
        """Call ``on_exit`` once when the leader has ended, and is reaped: on any thread.

        macOS tells of an end a moment before it can be waited for (proc_exit of xnu's kern_exit.c).
        """
        from bundlevisor.actors.process.exit_event_posix import watch_exit

        def ended() -> None:
            if self.poll() is None:
                loop.call_at(time.monotonic() + NOT_YET, ended)
            else:
                on_exit()

        watch_exit(loop, self.pid, ended)

    def survivors(self) -> list[int]:
        """Return the pids of the tree that are alive, also of those that left the session."""
        return [pid for pid, _ in self._members()]

    def owns(self, pid: int) -> bool:
        """Whether a process is one of the tree."""
        return session_of(pid) == self.pid or pid in self.survivors()

    def ask_to_stop(self, signal_name: str, *, leader_only: bool = False) -> bool:
        """Send the stop signal to every process of the tree; already gone is success.

        SIGCONT follows, as from systemd (systemd.kill(5)): what stands still would not hear it.
        ``leader_only``: to the leader alone, which tells the others itself; without effect once it
        has ended. The answer is whether a tree can be asked at all: here always.
        """
        number = getattr(signal, signal_name)
        if not leader_only:
            self._signal(number, signal.SIGCONT)
        elif self.poll() is None:
            with suppress(PermissionError, ProcessLookupError):  # it changed its user, or ended
                os.kill(self.pid, number)
                os.kill(self.pid, signal.SIGCONT)
        return True

    def kill(self) -> None:
        """End every process of the tree at once; already gone is success."""
        self._signal(signal.SIGKILL)

    def close(self) -> None:
        """Say that nothing of the tree is left."""
        tree.remove_tree(self.pid)

    def _members(self) -> list[tree.Member]:
        reaped = self._status is not None
        return tree.survivors(self.pid, self.instance, self._serial, reaped=reaped)

    def _signal(self, *numbers: int) -> None:
        """Signal the group at once, and then whoever of the tree has left it."""
        grouped = self._status is None and all(map(self._signal_group, numbers))
        for pid, created in self._members():
            if grouped and _in_group(pid, self.pid):
                continue
            with suppress(PermissionError):
                for number in numbers:
                    table.send(pid, created, number)

    def _signal_group(self, number: int) -> bool:
        """Signal the leader's whole group in one step, so that no fork slips through."""
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return False
        return True


def _in_group(pid: int, group: int) -> bool:
    try:
        return os.getpgid(pid) == group
    except ProcessLookupError:
        return True


def spawn(launch: SpawnRequest) -> Child:
    """Start a process; OSError (with the file's name) when that fails."""
    with tree.TreeStart() as begun:
        start = _spawn_with_sockets if launch.sockets else _spawn
        return start(launch, begun.serial)


def _spawn(launch: SpawnRequest, serial: int) -> Child:
    pid = fork_exec.execute(launch)
    return Child(pid, lambda: _reap(pid), launch.instance, serial)


def _spawn_with_sockets(launch: SpawnRequest, serial: int) -> Child:
    """Put the sockets on descriptors 3 and up, which subprocess cannot, and name the pid."""
    if not os.access(launch.argv[0], os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), launch.argv[0])
    env = launch.env | {
        "LISTEN_FDS": str(len(launch.sockets)),
        "LISTEN_FDNAMES": ":".join(name.replace(":", "_") for name, _ in launch.sockets),
    }
    env, script = _through_shell(env)
    high = [_duplicate_high(fd) for _, fd in launch.sockets]
    try:
        pid = os.posix_spawn(
            "/bin/sh",
            ["sh", "-c", script, "sh", launch.cwd, *launch.argv],
            env,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, launch.output, 1),
                (os.POSIX_SPAWN_DUP2, launch.output, 2),
                *((os.POSIX_SPAWN_DUP2, fd, HANDED_OVER + i) for i, fd in enumerate(high)),
            ],
            setsid=True,
            setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],
        )
    finally:
        for fd in high:
            os.close(fd)
    return Child(pid, lambda: _reap(pid), launch.instance, serial)


def _through_shell(env: dict[str, str]) -> tuple[dict[str, str], str]:
    """Return what the shell is given, and what it does, so that the program has all of ``env``."""
    taken = [n for n in env if n.startswith(TAKEN) and n.isascii() and n.isidentifier()]
    renamed = {KEPT + name if name in taken else name: value for name, value in env.items()}
    back = "".join(f"{n}=${KEPT}{n} && export {n} && unset {KEPT}{n} && " for n in taken)
    return renamed, back + ACTIVATE


def _duplicate_high(fd: int) -> int:
    """Return a duplicate that none of the target descriptors can overwrite."""
    import fcntl

    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 100)


def _reap(pid: int) -> int | None:
    try:
        done, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return 255
    return os.waitstatus_to_exitcode(status) if done else None
