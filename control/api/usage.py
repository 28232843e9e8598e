"""CPU and memory of the services' process trees, as psutil sees them.

A process may vanish at any moment; then it counts for nothing. psutil is imported at the first
use: it costs 20 ms that no start should pay.
"""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import psutil

FRESH_S = 0.2
"""A measurement this young is given again: over less time, CPU percentages are noise."""


class Usage(msgspec.Struct, frozen=True):
    """What a tree uses; ``cpu_percent`` 100 is one core, ``cpu_seconds`` of the living."""

    cpu_percent: float = 0.0
    cpu_seconds: float = 0.0
    rss_bytes: int = 0
    spent_seconds: float = 0.0
    """Since the look before; what ended between two looks is not in it."""


class Sample(msgspec.Struct, frozen=True):
    """CPU seconds and memory of one process; ``created`` tells a reused pid apart."""

    created: float
    cpu_seconds: float
    rss_bytes: int


def used(before: Mapping[int, Sample], now: Mapping[int, Sample], elapsed: float) -> Usage:
    """Return what a tree uses, from two looks at its processes ``elapsed`` s apart."""
    spent = 0.0
    for pid, sample in now.items():
        earlier = before.get(pid)
        same = earlier is not None and earlier.created == sample.created
        spent += sample.cpu_seconds - (earlier.cpu_seconds if earlier and same else 0.0)
    return Usage(
        cpu_percent=round(100 * max(0.0, spent) / elapsed, 1) if elapsed > 0 else 0.0,
        cpu_seconds=round(sum(sample.cpu_seconds for sample in now.values()), 3),
        rss_bytes=sum(sample.rss_bytes for sample in now.values()),
        spent_seconds=max(0.0, spent),
    )


class Meter:
    """Measures trees by their leader's pid; a percentage is that since the measurement before.

    The first one is since the start of the process.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._measured_at: float | None = None
        self._samples: dict[int, dict[int, Sample]] = {}
        self._usage: dict[int, Usage] = {}
        self._spent: dict[int, float] = {}
        self._counted: dict[str, tuple[int, float]] = {}
        self._totals: dict[str, float] = {}

    def measure(self, leaders: Iterable[int]) -> dict[int, Usage]:
        """Return the usage of each tree; of one that is gone, zeros."""
        wanted = set(leaders)
        with self._lock:
            now = time.monotonic()
            fresh = self._measured_at is not None and now - self._measured_at < FRESH_S
            if not fresh or not wanted <= self._usage.keys():
                self._look(wanted, now)
            return {leader: self._usage[leader] for leader in wanted}

    def remembered(self, leaders: Iterable[int]) -> dict[int, Usage] | None:
        """Return what :meth:`measure` would without looking; None where it would have to look.

        While somebody looks, the look before is given for as long again: nobody waits for both.
        """
        usage, measured_at, wanted = self._usage, self._measured_at, set(leaders)
        lasts = 2 * FRESH_S if self._lock.locked() else FRESH_S
        if measured_at is None or time.monotonic() - measured_at >= lasts:
            return None
        return {one: usage[one] for one in wanted} if wanted <= usage.keys() else None

    def count(self, leaders: Mapping[str, int]) -> dict[str, float]:
        """Return the CPU seconds of each service so far, given the leader of each that runs.

        They never shrink, over all incarnations; what a process spent after the last look at it is
        not in them.
        """
        self.measure(leaders.values())
        with self._lock:
            for service, leader in leaders.items():
                spent = self._spent.get(leader, 0.0)
                known, before = self._counted.get(service, (leader, 0.0))
                new = spent - before if known == leader else spent
                self._totals[service] = self._totals.get(service, 0.0) + max(0.0, new)
                self._counted[service] = leader, spent
            return {service: round(total, 3) for service, total in self._totals.items()}

    def _look(self, leaders: set[int], now: float) -> None:
        trees = {leader: _samples(tree) for leader, tree in _trees(leaders).items()}
        self._usage = {
            leader: used(self._samples.get(leader, {}), tree, self._elapsed(leader, tree, now))
            for leader, tree in trees.items()
        }
        self._spent = {
            leader: self._spent.get(leader, 0.0) + usage.spent_seconds
            for leader, usage in self._usage.items()
        }
        self._samples, self._measured_at = trees, now

    def _elapsed(self, leader: int, tree: Mapping[int, Sample], now: float) -> float:
        if self._measured_at is not None and leader in self._samples:
            return now - self._measured_at
        oldest = min((sample.created for sample in tree.values()), default=time.time())
        return max(time.time() - oldest, FRESH_S)


def _trees(leaders: set[int]) -> dict[int, list[psutil.Process]]:
    """Return the processes of each tree, found with one look at all descendants of this process.

    What left its tree by a double fork is not counted.
    """
    import psutil

    trees: dict[int, list[psutil.Process]] = {leader: [] for leader in leaders}
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
        leader = _leader_of(process.pid, parents, leaders)
        if leader is not None:
            trees[leader].append(process)
    return trees


def _leader_of(pid: int, parents: Mapping[int, int], leaders: set[int]) -> int | None:
    seen: set[int] = set()
    while pid not in leaders:
        if pid in seen or pid not in parents:
            return None
        seen.add(pid)
        pid = parents[pid]
    return pid


def _samples(processes: list[psutil.Process]) -> dict[int, Sample]:
    import psutil

    samples = {}
    for process in processes:
        try:
            with process.oneshot():
                times = process.cpu_times()
                samples[process.pid] = Sample(
                    process.create_time(), times.user + times.system, process.memory_info().rss
                )
        except (psutil.Error, OSError):
            continue
    return samples
