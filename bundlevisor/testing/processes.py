"""The processes of one run, known by a mark in their environment that all of them inherit."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection

import psutil

from bundlevisor.testing.deadline import wait_until

MARK = "RUN_UNDER_TEST"
"""The variable; the runtime hands on what does not begin with BUNDLEVISOR_."""


def of_run(
    mark: str, names: Collection[str], since: float, remembered: Collection[int] = ()
) -> list[psutil.Process]:
    """Return every live process with this mark, and those remembered by pid, oldest first.

    The mark is looked for in those begun at ``since`` or later, psutil's time of the run's first.

    Runtime and guardians hide their environment from all but root; they are known by ``names``,
    which all stand in their command lines. A process that cleared its own is not found.
    Zombies do not count.
    """
    found = [
        one
        for one in psutil.process_iter()
        if one.pid in remembered or (is_since(one, since) and is_of_run(one, mark, names))
    ]
    return sorted((one for one in found if lives(one)), key=lambda one: one.pid)


def is_since(process: psutil.Process, since: float) -> bool:
    """Whether it began then or later, which psutil keeps: all else would be read at every look."""
    with contextlib.suppress(psutil.Error):
        return bool(process.create_time() >= since)
    return False


def is_of_run(process: psutil.Process, mark: str, names: Collection[str]) -> bool:
    """Whether the process has the mark, or the names where its environment cannot be read."""
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
