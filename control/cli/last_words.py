"""What is said of an instance that is no more: how it ended, as far as it has left word of that."""

from __future__ import annotations

import time
from collections.abc import Callable

from bundlevisor.actors.files import instance, instance_lock, last_end
from bundlevisor.actors.process import table
from bundlevisor.control.cli.screen.tables import duration

GOING_S = 2.0
"""Seconds that a process may take to be gone once it has closed its port: it still tidies up."""
LOOK_AGAIN_S = 0.02


def last_word(app_data: str) -> str:
    """Return how the last start ended, as a part of a sentence; empty where none is known."""
    said = word_of_end(app_data)
    if said:
        return said
    pid = instance_lock.signed_by(app_data)
    return f"the last one (pid {pid}) was killed, or died" if is_gone(pid) else ""


def word_of_end(app_data: str) -> str:
    """As :func:`last_word`, of one that has left word itself."""
    end = last_end.peek(app_data)
    if end is None:
        return ""
    since = time.time() - end.ended_at
    ago = f" {duration(since)} ago" if since >= 0 else ""  # the clock has been set back
    ended = f"ended{ago} with exit code {end.code}"
    return f"the last one (pid {end.pid}) {ended}: {end.reason}"


def farewell(app_data: str, pid: int | None) -> str:
    """Return the sentence that tells of the end of the instance that was asked until now.

    Waits until its process is gone, ``GOING_S`` at most.
    """
    goes(pid)
    end = last_end.peek(app_data)
    if end is not None and pid in (None, end.pid):
        return f"the instance has ended with exit code {end.code}: {end.reason}"
    if is_gone(pid):
        return f"the instance has ended without a word (pid {pid}): it was killed, or died"
    return "the instance has ended"


def end_of(app_data: str, pid: int | None, created: float) -> Callable[[float], bool]:
    """Return what waits for the end of an instance that runs, and says whether it has come within
    so many seconds; ``created`` is 0 where it is not known.

    Where its process is not to be seen it is in another pid namespace (a container, a sandbox), and
    its pid is nobody's here, or somebody else's: there its record tells, which goes with it.
    """
    if pid is None or not created or table.alive(pid, created) or table.hidden(pid):
        return lambda seconds: goes(pid, seconds)
    return lambda seconds: _comes(lambda: instance.peek(app_data) is None, seconds)


def goes(pid: int | None, seconds: float = GOING_S) -> bool:
    """Whether a process that has hung up, or was told to end, is gone within so many seconds."""
    return pid is not None and _comes(lambda: is_gone(pid), seconds)


def _comes(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(LOOK_AGAIN_S)
    return True


def is_gone(pid: int | None) -> bool:
    """Whether no such process runs; one whose parent has yet to notice its end has ended.

    False where the number is not known (None), or the system does not tell.
    """
    return pid is not None and _state(pid) in ("", "zombie")


def is_suspended(pid: int | None) -> bool:
    """Whether somebody has stopped the process, which can be continued.

    Not one under strace or a debugger, which stands still for moments, or for that one's reasons.
    """
    return pid is not None and _state(pid) == "stopped"


def _state(pid: int) -> str:
    """Return psutil's word; empty where there is no such process."""
    import psutil

    try:
        return str(psutil.Process(pid).status())
    except psutil.NoSuchProcess:
        return "unknown" if table.hidden(pid) else ""
    except psutil.Error:
        return "unknown"
