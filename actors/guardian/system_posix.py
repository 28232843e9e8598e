"""What the guardian needs of the platform, on Linux and macOS."""

from __future__ import annotations

import os
import signal
import sys

from bundlevisor.actors.guardian import channel_posix
from bundlevisor.actors.process import table
from bundlevisor.actors.process.table import exit_watch
from bundlevisor.actors.process.table.found import Found
from bundlevisor.actors.process.table.own_process import hide_memory, take_name
from bundlevisor.actors.process.table.rlimit_mark import clear

assert sys.platform != "win32"  # noqa: S101 - tells the type checker where this file belongs

__all__ = [
    "ExitWatch",
    "Receiver",
    "ask",
    "census",
    "holders",
    "isolate",
    "kill",
    "read",
    "tell_system_log",
]

Receiver = channel_posix.Receiver
ExitWatch = exit_watch.ExitWatch

NAME = b"bundle-guardian"
"""At most 15 bytes (prctl(2), PR_SET_NAME)."""

SIGKILL = int(signal.SIGKILL)

OPEN_MAX = 10_240
"""What macOS allows where there is no limit: it refuses "unlimited" as such (setrlimit(2))."""


def isolate(channel: int) -> None:
    """Leave the runtime's session, files and folder; keep the channel only.

    Its stdout above all: whoever waits for its end must not wait for the guardian.
    """
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    for fd in _open_descriptors():
        if fd > 2 and fd != channel:
            _close(fd)
    sys.path[:] = [os.path.abspath(entry) for entry in sys.path]
    os.chdir("/")
    _raise_limit()
    clear()  # an earlier runtime may stand among our ancestors
    hide_memory()  # it knows the secrets that are to be hidden in logs
    take_name(NAME)


read = os.read


def census(prefix: str, sessions: set[int]) -> list[Found]:
    """Return what lives and carries a mark with this beginning, or is in one of the sessions."""
    return table.census(prefix, sessions)


def holders(pipe: int) -> list[Found]:
    """Return what else holds the writing end of a pipe whose reading end this is, if we can see."""
    try:
        from bundlevisor.actors.logs import pipes
    except Exception:  # noqa: BLE001 - a last resort; the files may be gone by now
        return []
    births = {pid: table.created(pid) for pid in pipes.holders(pipe)}
    # Looked at twice: the start time read in between is that of the holder, not of a successor.
    return [
        Found(pid, born, 0, "")
        for pid in pipes.holders(pipe)
        if (born := births.get(pid)) is not None and pid != os.getpid()
    ]


def ask(process: Found, number: int) -> bool:
    """Send the stop signal, and wake a process that is stopped so that it hears; False: gone."""
    heard = table.send(process.pid, process.created, number)
    return table.send(process.pid, process.created, signal.SIGCONT) and heard


def kill(process: Found) -> bool:
    """End a process at once; False when it is gone."""
    return table.send(process.pid, process.created, SIGKILL)


def tell_system_log(text: str) -> None:
    """Say something where nothing else can be said, as syslog(3)."""
    try:
        import syslog
    except ImportError:
        return  # without the installed files, not even that
    syslog.openlog("bundlevisor", syslog.LOG_PID)
    syslog.syslog(syslog.LOG_ERR, text)


def _open_descriptors() -> list[int]:
    folder = "/proc/self/fd" if sys.platform == "linux" else "/dev/fd"
    return [int(name) for name in os.listdir(folder)]


def _close(fd: int) -> None:
    try:
        os.close(fd)
    except OSError:
        return  # the one that listed the folder


def _raise_limit() -> None:
    """Allow as many descriptors as can be had: one comes for every running service."""
    import resource

    try:
        has, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        allowed = most if sys.platform != "darwin" else max(has, min(most, OPEN_MAX))
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
    except (OSError, ValueError):
        return  # what there is will do
