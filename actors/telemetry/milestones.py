"""The milestones of a start, noted while it happens.

They are taken on the monotonic clock. Noting one costs a dict entry, so that it may be done
anywhere; only the first start of each service is noted. What they mean:
:mod:`bundlevisor.actors.telemetry.timeline`.
"""

from __future__ import annotations

import os
import sys
import time

EXEC, INTERPRETER, MANIFEST, SOCKET, PORTS, API = (
    "exec",
    "interpreter",
    "manifest",
    "socket",
    "ports",
    "api",
)
"""Milestones of the runtime: the process begins, Python runs our first line, the manifest is
checked, the control port listens, ports are chosen, the control API answers."""
SPAWNED, OUTPUT, LISTENING, READY = ("spawned", "output", "listening", "ready")
"""Milestones of a service."""
SECRETS, ASSETS, MIGRATIONS = ("secrets", "assets", "migrations")
"""What may come before a service is spawned: files of its secrets are written, its assets looked
at, its migrations run; each has two milestones, :func:`begin` and :func:`end`."""
PREPARATIONS = (SECRETS, ASSETS, MIGRATIONS)


def begin(preparation: str) -> str:
    """Return the milestone of the begin of a preparation."""
    return f"{preparation} begin"


def end(preparation: str) -> str:
    """Return the milestone of its end."""
    return f"{preparation} end"


COLDEST = 10.0
"""Seconds that may pass between the start of a process and our first lines: a disk that is cold."""


class Recorder:
    """Collects the marks of one start; safe from any thread."""

    def __init__(self, interpreter_at: float, used: float) -> None:
        """``used`` are the seconds of processor time at ``interpreter_at``, our first line."""
        self._marks: dict[tuple[str, str], float] = {}
        self.exec_at = exec_time(interpreter_at - used)
        self.mark(EXEC, at=self.exec_at)
        self.mark(INTERPRETER, at=interpreter_at)

    def mark(self, what: str, service: str = "", at: float | None = None) -> None:
        """Note that something has happened for the first time; later ones are passed over."""
        self._marks.setdefault((service, what), time.monotonic() if at is None else at)

    def since_exec(self) -> dict[tuple[str, str], float]:
        """Return the marks, by service and milestone, in milliseconds since exec."""
        return {key: round((at - self.exec_at) * 1000, 2) for key, at in list(self._marks.items())}


def exec_time(estimate: float) -> float:
    """Return when this process became ours, on the monotonic clock.

    ``estimate`` is when that was if nothing was waited for until our first line. Linux says when
    the process was started, in ticks of 10 ms (proc(5), starttime), and it is within that tick. But
    no system says when exec was: in a process that is older than COLDEST another program ran before
    (the shell of a script that ends in ``exec bundlevisor``), whose time is not ours.
    """
    return _narrowed(estimate)


def within_tick(estimate: float, earliest: float, tick: float) -> float:
    """Return the moment of this tick that is nearest to the estimate, which is too late if wrong.

    Or the estimate, where it is so much later that it cannot be wrong by that.
    """
    if estimate - earliest > COLDEST:
        return estimate
    return min(max(estimate, earliest), earliest + tick)


if sys.platform == "linux":

    def _narrowed(estimate: float) -> float:
        """Correct the estimate by what /proc says, where it can be read."""
        try:
            with open("/proc/self/stat", "rb") as file:
                ticks = int(file.read().rpartition(b")")[2].split()[19])
            asleep = time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()
            tick = 1 / os.sysconf("SC_CLK_TCK")
        except (OSError, ValueError):
            return estimate
        return within_tick(estimate, ticks * tick - asleep, tick)

else:

    def _narrowed(estimate: float) -> float:
        """Return the estimate: no more is known."""
        return estimate
