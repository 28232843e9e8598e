"""Facts about processes on Linux: system calls and /proc, nothing heavy imported.

A process that cannot be read counts as not there: it has ended meanwhile, or belongs to another
user (its environment is closed to us; with hidepid, proc(5), all of it is); only :func:`hidden`
knows of those of this user. A process of a service
that changed its user is therefore found by its session only. getsid(2) costs 0.5 us a process,
an environment 10 us, /proc/PID/stat 8 us (two shared cores).
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Container, Iterator

from bundlevisor.actors.process.table.found import Found, found_among, send_by_number
from bundlevisor.manifest.format.variables import MARK

assert sys.platform == "linux"  # noqa: S101 - tells the type checker where this file belongs

STATE, PARENT, THREADS, STARTTIME, EXIT_CODE = 0, 1, 17, 19, 49
"""Fields 3, 4, 20, 22 and 52 of proc_pid_stat(5), counted from the one after the name."""

_MARKED = MARK.encode() + b"="


def created(pid: int) -> float | None:
    """Return when the process started, in ticks since boot; None when there is no such process."""
    fields = stat(pid)
    return int(fields[STARTTIME]) if fields else None


def alive(pid: int, created: float) -> bool:
    """Whether the process is there, is not a zombie, and is the one that started then."""
    return _birth(pid) == created


def hidden(pid: int) -> bool:
    """Whether a process of this user is there, and all of it is closed to us.

    With hidepid, proc(5), so are a runtime and its guardians, which hide their memory. Who waits
    for one can do so, who would signal it cannot: nobody can tell when it was started.
    """
    if pid <= 0 or stat(pid):
        return False
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def mark_of(pid: int) -> str:
    """Return the instance mark that it was executed with; empty when it has none we can read."""
    environ = _read(f"/proc/{pid}/environ")
    start = 0 if environ.startswith(_MARKED) else environ.find(b"\0" + _MARKED) + 1
    if not start and not environ.startswith(_MARKED):
        return ""
    start += len(_MARKED)
    end = environ.find(b"\0", start)
    return os.fsdecode(environ[start : end if end >= 0 else None])


def parent_of(pid: int) -> int:
    """Return the parent's pid; 0 when there is none, or no such process."""
    fields = stat(pid)
    return int(fields[PARENT]) if fields else 0


def census(prefix: str | tuple[str, ...], sessions: Container[int] = ()) -> list[Found]:
    """Return what :func:`found_among` finds among all processes."""
    return found_among(pids, mark_of, _birth, prefix, sessions)


def send(pid: int, created: float, number: int) -> bool:
    """Send a signal to this process and no other; False when it is gone.

    The pidfd is opened before the comparison, so the pid cannot change hands in between. Raises
    PermissionError for a process that changed its user.
    """
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    except OSError:  # Linux before 5.3, or a sandbox that forbids pidfd_open
        return send_by_number(pid, created, number, alive)
    try:
        if not alive(pid, created):
            return False
        signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        return False
    except OSError:  # a sandbox that forbids this call alone; or it says so again
        return send_by_number(pid, created, number, alive)
    finally:
        os.close(handle)
    return True


def status_of(pid: int, created: float) -> int | None:
    """Return the wait status of a process that is dying or dead and not reaped yet.

    None while nothing is known: it lives, was reaped, or may not be looked at.
    """
    fields = stat(pid)
    if not fields or int(fields[STARTTIME]) != created:
        return None
    return int(fields[EXIT_CODE]) or None


def _birth(pid: int) -> int | None:
    """Return when a living process started; a zombie whose threads go on is alive."""
    fields = stat(pid)
    if not fields or (fields[STATE] in (b"Z", b"X") and int(fields[THREADS]) < 2):
        return None
    return int(fields[STARTTIME])


def stat(pid: int) -> list[bytes]:
    """Return the fields of proc_pid_stat(5) after the name; empty when there is no such process.

    The name may hold blanks and parentheses; the last parenthesis is the one that closes it.
    """
    return _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()


def pids() -> Iterator[int]:
    """Yield every process that /proc shows."""
    return (int(name) for name in os.listdir("/proc") if name.isdecimal())


def _read(path: str) -> bytes:
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        content = chunk = os.read(file, 65536)
        while chunk:
            chunk = os.read(file, 65536)
            content += chunk
    except OSError:
        return b""
    finally:
        os.close(file)
    return content
