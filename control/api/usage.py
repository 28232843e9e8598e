"""CPU and memory of the services' process trees.

A process may vanish at any moment; then it counts for nothing.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

import msgspec

if sys.platform == "linux":
    from bundlevisor.control.api import trees_linux as trees
else:
    from bundlevisor.control.api import trees_psutil as trees

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bundlevisor.control.api.process_sample import Sample

FRESH_S = 0.2
"""A measurement this young is given again: over less time, CPU percentages are noise."""


class Usage(msgspec.Struct, frozen=True):
    """What a tree uses; ``cpu_percent`` 100 is one core, ``cpu_seconds`` of the living."""

    cpu_percent: float = 0.0
    cpu_seconds: float = 0.0
    rss_bytes: int = 0
    spent_seconds: float = 0.0
    """Since the look before; what ended between two looks is not in it."""


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


def shared_out(usage: Usage, services: int) -> Usage:
    """Return the equal part that each of so many services has in what they use together."""
    if services == 1:
        return usage
    return Usage(
        cpu_percent=round(usage.cpu_percent / services, 1),
        cpu_seconds=round(usage.cpu_seconds / services, 3),
        rss_bytes=usage.rss_bytes // services,
        spent_seconds=usage.spent_seconds / services,
    )


class Meter:
    """Measures trees by their leader's pid; a percentage is that since the measurement before.

    The first one is since the start of the process. A leader that is named several times is that of
    as many services, as the process of several pages is: what is returned is the part of
    each, so that sums over services are right, as those of PSS are.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.measured_at: float | None = None
        """When the newest look at them was begun, on the monotonic clock."""
        self._samples: dict[int, dict[int, Sample]] = {}
        self._usage: dict[int, Usage] = {}
        self._spent: dict[int, float] = {}
        self._counted: dict[int, float] = {}
        self._totals: dict[str, float] = {}

    def measure(self, leaders: Iterable[int]) -> dict[int, Usage]:
        """Return the usage of each tree; of one that is gone, zeros."""
        wanted = Counter(leaders)
        with self._lock:
            now = time.monotonic()
            if not self._is_younger(FRESH_S, now) or not wanted.keys() <= self._usage.keys():
                self._look(set(wanted), now)
            return {leader: shared_out(self._usage[leader], n) for leader, n in wanted.items()}

    def remembered(self, leaders: Iterable[int]) -> dict[int, Usage] | None:
        """Return what :meth:`measure` would without looking; None where it would have to look.

        While somebody looks, the look before is given for as long again: nobody waits for both.
        """
        if not self.is_at_hand:
            return None
        usage, wanted = self._usage, Counter(leaders)
        if not wanted.keys() <= usage.keys():
            return None
        return {leader: shared_out(usage[leader], n) for leader, n in wanted.items()}

    @property
    def is_at_hand(self) -> bool:
        """Whether what was measured last may be given again."""
        lasts = 2 * FRESH_S if self._lock.locked() else FRESH_S
        return self._is_younger(lasts, time.monotonic())

    def _is_younger(self, seconds: float, now: float) -> bool:
        return self.measured_at is not None and now - self.measured_at < seconds

    def count(self, leaders: Mapping[str, int]) -> dict[str, float]:
        """Return the CPU seconds of each service so far, given the leader of each that runs.

        They never shrink, over all incarnations; what a process spent after the last look at it is
        not in them.
        """
        self.measure(leaders.values())
        with self._lock:
            before, self._counted = self._counted, {}
            parts: dict[int, float] = {}
            for leader, services in Counter(leaders.values()).items():
                spent = self._counted[leader] = self._spent.get(leader, 0.0)
                parts[leader] = max(0.0, spent - before.get(leader, 0.0)) / services
            for service, leader in leaders.items():
                self._totals[service] = self._totals.get(service, 0.0) + parts[leader]
            return {service: round(total, 3) for service, total in self._totals.items()}

    def _look(self, leaders: set[int], now: float) -> None:
        try:
            found = trees.samples(leaders)
        except OSError:  # no descriptor is to be had: all else can be told
            self._usage = {leader: self._usage.get(leader, Usage()) for leader in leaders}
            return
        self._usage = {
            leader: used(self._samples.get(leader, {}), tree, self._elapsed(leader, tree, now))
            for leader, tree in found.items()
        }
        self._spent = {
            leader: self._spent.get(leader, 0.0) + usage.spent_seconds
            for leader, usage in self._usage.items()
        }
        self._samples, self.measured_at = found, now

    def _elapsed(self, leader: int, tree: Mapping[int, Sample], now: float) -> float:
        if self.measured_at is not None and leader in self._samples:
            return now - self.measured_at
        present = trees.now()
        oldest = min((sample.created for sample in tree.values()), default=present)
        return max(present - oldest, FRESH_S)
