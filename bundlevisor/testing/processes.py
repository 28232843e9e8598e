"""The processes of one run, known by a mark in their environment that all of them inherit."""

from __future__ import annotations

import contextlib

import psutil

from bundlevisor.testing.deadline import wait_until

MARK = "RUN_UNDER_TEST"
"""The variable; the runtime hands on what does not begin with BUNDLEVISOR_."""


def marked(mark: str, record: tuple[int, ...] = ()) -> list[psutil.Process]:
    """Return every live process with this mark, and those of ``record`` (pids), oldest first.

    A process that cleared its environment is not found by the mark. Zombies do not count.
    """
    found = [one for one in psutil.process_iter() if carries(one, mark) or one.pid in record]
    return sorted((one for one in found if lives(one)), key=lambda one: one.pid)


def carries(process: psutil.Process, mark: str) -> bool:
    """Whether the process has the mark in its environment, as far as that can be read."""
    with contextlib.suppress(psutil.Error, OSError):
        return process.environ().get(MARK) == mark
    return False


def lives(process: psutil.Process) -> bool:
    """Whether it runs, or stands still."""
    with contextlib.suppress(psutil.Error):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


def kill_all(mark: str, record: tuple[int, ...] = ()) -> None:
    """Kill whatever is left of a run; NotWithin when something cannot be killed."""

    def gone() -> bool:
        left = marked(mark, record)
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        return not left

    wait_until(gone, "the end of every process of the run")


def described(processes: list[psutil.Process]) -> str:
    """Name processes for a message, a line each."""
    lines = []
    for process in processes:
        with contextlib.suppress(psutil.Error):
            lines.append(f"  pid {process.pid} ({process.status()}): {' '.join(process.cmdline())}")
    return "\n".join(lines)
