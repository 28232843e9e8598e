"""The processes of trees where there is no /proc, as psutil sees them.

psutil is imported at the first use: it costs 20 ms that no start should pay.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from bundlevisor.control.api.process_sample import Sample, leader_of

if TYPE_CHECKING:
    import psutil


def now() -> float:
    """Return the present on the clock of :attr:`Sample.created`: seconds since the epoch."""
    return time.time()


def samples(leaders: set[int]) -> dict[int, dict[int, Sample]]:
    """Return the processes of each tree, by the pids of the leaders, which come out of this one.

    What left its tree by a double fork is not counted.
    """
    import psutil

    trees: dict[int, dict[int, Sample]] = {leader: {} for leader in leaders}
    try:
        processes = psutil.Process(os.getpid()).children(recursive=True)
    except psutil.Error:
        return trees
    parents: dict[int, int] = {}
    for process in processes:
        try:
            parents[process.pid] = process.ppid()
        except psutil.Error:
            continue
    for process in processes:
        leader = leader_of(process.pid, parents, leaders)
        if leader is not None and (sample := _sample(process)):
            trees[leader][process.pid] = sample
    return trees


def _sample(process: psutil.Process) -> Sample | None:
    import psutil

    try:
        with process.oneshot():
            times = process.cpu_times()
            return Sample(
                process.create_time(), times.user + times.system, process.memory_info().rss
            )
    except (psutil.Error, OSError):
        return None
