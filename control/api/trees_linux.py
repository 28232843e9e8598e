"""The processes of trees on Linux, from one look at /proc: a third of the time that psutil takes.

A look takes the interpreter from those who are answered meanwhile.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from bundlevisor.actors.process.table.found import session_of
from bundlevisor.control.api.process_sample import Sample, leader_of

assert sys.platform == "linux"  # noqa: S101 - tells the type checker where this file belongs

from bundlevisor.actors.process.table.linux import (  # noqa: E402 - nothing for the other systems
    PARENT,
    STARTTIME,
    pids,
    stat,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

UTIME, STIME, RSS = 11, 12, 21
"""Fields 14, 15 and 24 of proc_pid_stat(5), counted from the one after the name."""
TICK = 1 / os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def now() -> float:
    """Return the present on the clock of :attr:`Sample.created`: seconds since boot."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def samples(leaders: set[int]) -> dict[int, dict[int, Sample]]:
    """Return the processes of each tree, by the pids of the leaders, which come out of this one.

    What left its tree by a double fork is not counted.
    """
    trees: dict[int, dict[int, Sample]] = {leader: {} for leader in leaders}
    stats = {pid: fields for pid in _candidates() if (fields := stat(pid))}
    parents = {pid: int(fields[PARENT]) for pid, fields in stats.items()}
    ours = os.getpid()
    for pid in parents:
        leader = leader_of(pid, parents, leaders) if pid != ours else None
        if leader is not None and leader_of(leader, parents, (ours,)):
            trees[leader][pid] = _sample(stats[pid])
    return trees


def _sample(fields: list[bytes]) -> Sample:
    return Sample(
        int(fields[STARTTIME]) * TICK,
        (int(fields[UTIME]) + int(fields[STIME])) * TICK,
        int(fields[RSS]) * PAGE,
    )


def _candidates() -> Iterable[int]:
    """Return every process that may be one of a tree: the kernel's own have no session.

    Nor has, in a container, what was started from outside of it, and then the runtime may be one
    (pid_namespaces(7): what is not in the namespace is 0): there all are looked at.
    """
    if not session_of(os.getpid()):
        return pids()
    return (pid for pid in pids() if session_of(pid))
