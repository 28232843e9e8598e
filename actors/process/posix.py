"""Processes on Linux and macOS: a session for each service, signals to the whole of it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterable

from actors.process import tree
from actors.process.launch import Launch

SOCKET_ACTIVATION = True
"""Listening sockets can be handed over."""

HANDED_OVER = 3
"""The first descriptor that is handed over: SD_LISTEN_FDS_START of sd_listen_fds(3)."""

ACTIVATE = 'cd "$1" && shift && LISTEN_PID=$$ && export LISTEN_PID && exec "$@"'
"""exec keeps the pid, so the shell can name the one that sd_listen_fds(3) compares."""


class Child:
    """The leader of a session that was spawned here, and everything that came out of it."""

    def __init__(self, pid: int, poll: Callable[[], int | None], instance: str) -> None:
        self.pid = pid
        self.instance = instance
        self.created = tree.created(pid)
        self._poll = poll
        tree.own(pid)

    def poll(self) -> int | None:
        """Reap the leader if it has ended: its exit status, negative for a signal, else None."""
        status = self._poll()
        if status is not None:
            tree.disown(self.pid)
        return status

    def survivors(self) -> list[tree.Member]:
        """Return the processes of the tree that are alive, also those that left the session."""
        return tree.members(self.pid, self.instance)

    def ask_to_stop(self, signal_name: str) -> None:
        """Send the stop signal to every process of the tree; already gone is success."""
        self._signal(signal.Signals[signal_name], self.survivors())

    def kill(self) -> None:
        """End every process of the tree at once; already gone is success."""
        self._signal(signal.SIGKILL, self.survivors())

    def close(self) -> None:
        """Release what the platform holds for this child."""

    def _signal(self, number: signal.Signals, members: Iterable[tree.Member]) -> None:
        grouped = self._signal_group(number)
        for member in members:
            if not (grouped and member.group == self.pid):
                tree.send(member, number)

    def _signal_group(self, number: signal.Signals) -> bool:
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return False
        return True


def spawn(launch: Launch) -> Child:
    """Start a process; OSError (with the file's name) when that fails."""
    if launch.sockets:
        return _spawn_with_sockets(launch)
    process = subprocess.Popen(
        launch.argv,
        stdin=subprocess.DEVNULL,
        stdout=launch.output,
        stderr=launch.output,
        cwd=launch.cwd,
        env=launch.env,
        start_new_session=True,
    )
    return Child(process.pid, process.poll, launch.instance)


def _spawn_with_sockets(launch: Launch) -> Child:
    """Put the sockets on descriptors 3 and up, which subprocess cannot, and name the pid."""
    if not os.access(launch.argv[0], os.X_OK):
        raise PermissionError(13, "Permission denied", launch.argv[0])
    env = launch.env | {
        "LISTEN_FDS": str(len(launch.sockets)),
        "LISTEN_FDNAMES": ":".join(name for name, _ in launch.sockets),
    }
    high = [_duplicate_high(fd) for _, fd in launch.sockets]
    try:
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, launch.output, 1),
            (os.POSIX_SPAWN_DUP2, launch.output, 2),
            *((os.POSIX_SPAWN_DUP2, fd, HANDED_OVER + i) for i, fd in enumerate(high)),
        ]
        pid = os.posix_spawn(
            "/bin/sh",
            ["sh", "-c", ACTIVATE, "sh", launch.cwd, *launch.argv],
            env,
            file_actions=actions,
            setsid=True,
            setsigdef=[signal.SIGPIPE],
        )
    finally:
        for fd in high:
            os.close(fd)
    return Child(pid, lambda: reap(pid), launch.instance)


def _duplicate_high(fd: int) -> int:
    """Return a duplicate that no target descriptor can overwrite."""
    import fcntl

    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 100)


def reap(pid: int) -> int | None:
    """Return the exit status of a child of ours if it has ended; 255 when somebody else reaped it."""
    try:
        done, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return 255
    return os.waitstatus_to_exitcode(status) if done else None
