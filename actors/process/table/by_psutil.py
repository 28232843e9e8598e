"""Facts about processes where there is no /proc: psutil, imported on first use.

For macOS all of them; for Windows those that need no handle. Slower than Linux': a mark costs some
50 us a process. A process that cannot be read counts as not there; macOS closes the environment of
its own hardened programs even to their user, so these are found by their session only.
"""

from __future__ import annotations

from collections.abc import Container

from bundlevisor.actors.process.table.found import Found, found_among, send_by_number
from bundlevisor.manifest.format.variables import MARK

TYPE_CHECKING = False
if TYPE_CHECKING:
    import psutil


def created(pid: int) -> float | None:
    """Return when the process started, in seconds; None when there is no such process."""
    import psutil

    try:
        return _started(psutil.Process(pid))
    except psutil.Error:
        return None


def alive(pid: int, created: float) -> bool:
    """Whether the process is there, is not a zombie, and is the one that started then."""
    return _birth(pid) == created


def hidden(pid: int) -> bool:  # noqa: ARG001 - as on Linux
    """Return False: no system but Linux hides a user's processes from him."""
    return False


def mark_of(pid: int) -> str:
    """Return the instance mark that it was executed with; empty when it has none we can read."""
    import psutil

    try:
        return psutil.Process(pid).environ().get(MARK, "")
    except (psutil.Error, OSError):
        return ""


def parent_of(pid: int) -> int:
    """Return the parent's pid; 0 when there is none, or no such process."""
    import psutil

    try:
        return psutil.Process(pid).ppid()
    except psutil.Error:
        return 0


def census(prefix: str | tuple[str, ...], sessions: Container[int] = ()) -> list[Found]:
    """Return what :func:`found_among` finds among all processes."""
    import psutil

    return found_among(psutil.pids, mark_of, _birth, prefix, sessions)


def send(pid: int, created: float, number: int) -> bool:
    """Send a signal to this process and no other, as :func:`send_by_number` does."""
    return send_by_number(pid, created, number, alive)


def status_of(pid: int, created: float) -> int | None:  # noqa: ARG001 - as on Linux
    """Return None: the wait status of somebody else's child cannot be read here."""
    return None


def _birth(pid: int) -> float | None:
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return _started(process)
    except psutil.Error:
        return None


def _started(process: psutil.Process) -> float:
    """Return when it started as the kernel noted it then, whatever has been set since.

    What psutil 7.1 and later offer follows the wall clock: set anew by a second, as after a sleep,
    it would make another process of each.
    """
    noted = process._proc.create_time  # type: ignore[attr-defined]
    try:
        return float(noted(monotonic=True))
    except TypeError:  # of psutil before that
        return float(noted())
