"""What the guardian needs of Windows: the services are found and ended by their jobs.

A session, as the portable part calls it, is the handle of a service's job, made negative so that
nobody takes it for a pid.
"""

from __future__ import annotations

import _winapi
import msvcrt
import os
import signal
import sys

from bundlevisor.actors.guardian import channel_windows
from bundlevisor.actors.process import table
from bundlevisor.actors.process.table import exit_watch_windows
from bundlevisor.actors.process.table.found import Found
from bundlevisor.actors.process.windows import api, console, jobs

assert sys.platform == "win32"  # noqa: S101 - mypy reads what follows for Windows only

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

Receiver = channel_windows.Receiver

SIGKILL = 9


class ExitWatch(exit_watch_windows.ExitWatch):
    """Also waits for the services' pipes, which came over the channel."""

    def __init__(self) -> None:
        super().__init__(Receiver.pipes)


def isolate(channel: int) -> None:  # noqa: ARG001
    """Ignore the signals of the terminal and keep no file or folder of the runtime's.

    A process's current folder cannot be removed on Windows. When the console is closed the guardian
    has the seconds that the runtime has, instead of ending at once.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGBREAK, signal.SIG_IGN)
    console.watch_close(_nothing)
    nul = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nul, fd)
    sys.path[:] = [os.path.abspath(entry) for entry in sys.path]
    os.chdir(os.environ["SYSTEMROOT"])


def _nothing() -> None:
    """The end of the runtime is what counts."""


def census(prefix: str, sessions: set[int]) -> list[Found]:  # noqa: ARG001
    """Return what lives in the jobs; what is in none of them ends with the outer job."""
    return [found for session in sessions for found in _members(session)]


def _members(session: int) -> list[Found]:
    try:
        pids = jobs.Job(-session).pids()
    except OSError:
        return []
    births = ((pid, table.created(pid)) for pid in pids)
    return [Found(pid, born, session, "") for pid, born in births if born is not None]


def holders(pipe: int) -> list[Found]:  # noqa: ARG001
    """Return nobody: Windows does not tell, and no process is outside of the jobs."""
    return []


def read(fd: int, size: int) -> bytes:
    """Read what is in a pipe, b"" at its end; BlockingIOError when nothing is there."""
    try:
        available = _winapi.PeekNamedPipe(msvcrt.get_osfhandle(fd), 0)[-2]
    except OSError:
        return b""
    if not available:
        raise BlockingIOError
    return os.read(fd, min(size, available))


def ask(process: Found, number: int) -> bool:
    """Send CTRL_BREAK to the leader of a service, whose group it reaches; False when it is gone.

    A tree that cannot be asked (its leader is gone, there is no console) is ended at once, as the
    runtime itself would.
    """
    leader = Receiver.leaders.get(process.session, process.pid)
    if not table.alive(process.pid, process.created):
        return False
    if process.pid != leader and leader in jobs.Job(-process.session).pids():
        return True
    if number != SIGKILL and process.pid == leader and console.send_break(leader):
        return True
    return kill(process)


def kill(process: Found) -> bool:
    """End the whole job of a process at once; False when the process is gone."""
    if not table.alive(process.pid, process.created):
        return False
    if process.session:
        jobs.Job(-process.session).terminate()
        return True
    return table.send(process.pid, process.created, SIGKILL)


def tell_system_log(text: str) -> None:
    """Say something where nothing else can be said: to whoever listens with a debugger."""
    api.kernel32.OutputDebugStringW(f"bundlevisor: {text}")
