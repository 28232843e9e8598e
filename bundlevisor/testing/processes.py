"""The processes of one run, known by a mark in their environment that all of them inherit."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator

import psutil

from bundlevisor.testing.deadline import wait_until

MARK = "RUN_UNDER_TEST"
"""The variable; the runtime hands on what does not begin with BUNDLEVISOR_."""
AWAKE = frozenset("RSD")
"""States of threads that go on, or will (proc(5))."""
START_TIME = 19
"""Which field it is behind the command's name (proc(5): the 22nd of all)."""


def of_run(
    is_ours: Callable[[psutil.Process], bool], since: float, remembered: Collection[int] = ()
) -> list[psutil.Process]:
    """Return every live process of a run, and those remembered by pid, by their pids.

    ``is_ours`` is asked of those that began at ``since`` or later (:func:`began`). Zombies do not
    count.
    """
    pids = [pid for pid in psutil.pids() if pid in remembered or is_since(pid, since)]
    return [one for one in of_pids(pids) if (one.pid in remembered or is_ours(one)) and lives(one)]


def of_pids(pids: Iterable[int]) -> Iterator[psutil.Process]:
    """Yield the processes that are still there."""
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            yield psutil.Process(pid)


def began(pid: int) -> float:
    """Return when a process began, to be compared with that of others; 0 when it is gone.

    A suite asks it of every process of the machine at the end of each run: on Linux it is read with
    a tenth of what psutil takes for it.
    """
    try:
        if sys.platform == "linux":
            with open(f"/proc/{pid}/stat", "rb") as stat:
                return int(stat.read().rpartition(b")")[2].split()[START_TIME])
        else:  # or mypy calls it unreachable on Linux
            return float(psutil.Process(pid).create_time())
    except (OSError, psutil.Error):
        return 0


def is_since(pid: int, since: float) -> bool:
    """Whether a process began then or later."""
    return began(pid) >= since


def is_of_run(process: psutil.Process, mark: str, names: Collection[str]) -> bool:
    """Whether the process has the mark, or the names where its environment cannot be read.

    Runtime and guardians hide their environment from all but root; they are known by ``names``,
    which all stand in their command lines. A process that cleared its own is not found.
    """
    with contextlib.suppress(psutil.Error, OSError):
        try:
            return process.environ().get(MARK) == mark
        except psutil.AccessDenied:
            return set(names) <= set(process.cmdline())
    return False


def lives(process: psutil.Process) -> bool:
    """Whether it runs, or stands still."""
    with contextlib.suppress(psutil.Error):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


def suspend(process: psutil.Process) -> None:
    """Have it stand still: on a busy machine its threads go on for some time after the signal."""
    process.suspend()
    wait_until(lambda: _stands_still(process.pid), f"process {process.pid} to stand still")


def _stands_still(pid: int) -> bool:
    """Whether all of its threads do; on Linux psutil looks at the first one only."""
    try:
        if sys.platform == "linux":
            return AWAKE.isdisjoint(
                _state(pid, thread) for thread in os.listdir(f"/proc/{pid}/task")
            )
        else:  # noqa: RET505 - or mypy calls it unreachable on Linux
            still = (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE)
            return bool(psutil.Process(pid).status() in still)
    except (FileNotFoundError, ProcessLookupError, psutil.NoSuchProcess):
        return True


def _state(pid: int, thread: str) -> str:
    """Return its letter (proc_pid_stat(5)), or "X" for one that has ended since it was listed."""
    try:
        with open(f"/proc/{pid}/task/{thread}/stat", "rb") as stat:
            return stat.read().rpartition(b")")[2].split()[0].decode()
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def kill_all(left: Callable[[], list[psutil.Process]]) -> None:
    """Kill what is left until nothing is; NotWithin when something cannot be killed."""

    def gone() -> bool:
        found = left()
        for process in found:
            with contextlib.suppress(psutil.Error):
                process.kill()
        return not found

    wait_until(gone, "the end of every process of the run")


def described(processes: list[psutil.Process]) -> str:
    """Name processes for a message, a line each."""
    lines = []
    for process in processes:
        with contextlib.suppress(psutil.Error):
            lines.append(f"  pid {process.pid} ({process.status()}): {' '.join(process.cmdline())}")
    return "\n".join(lines)
