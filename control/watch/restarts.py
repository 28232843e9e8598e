"""Which services are restarted for files that have changed, and when it is time to do so. Pure.

A build writes a file in pieces, an editor several at once: nothing is done before two looks have
seen the same. A file that its own service writes would restart it for ever: after some restarts in
a row for it, it is looked at no longer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from bundlevisor.control.watch.files import Look, changed
from bundlevisor.control.watch.watched import Watched
from bundlevisor.manifest.format.paths import within

IN_A_ROW = 5
WITHIN_S = 30.0
"""So many restarts for one file in so many seconds: nobody types that fast."""


class Settling(msgspec.Struct, frozen=True):
    """What was seen when the last restart was decided, and at the last look."""

    settled: Look
    last: Look


def step(before: Settling, now: Look) -> tuple[Settling, tuple[str, ...]]:
    """Return what to remember, and the files whose change has come to its end."""
    if now != before.last:
        return Settling(before.settled, now), ()
    if now == before.settled:
        return before, ()
    return Settling(now, now), changed(before.settled, now)


def concerned(files: Iterable[str], of: Watched) -> dict[str, tuple[str, ...]]:
    """Return the files that changed, by the services that they belong to."""
    listed = tuple(files)
    found = {
        id_: tuple(file for file in listed if any(within(file, path) for path in paths))
        for id_, paths in of.items()
    }
    return {id_: theirs for id_, theirs in found.items() if theirs}


class Busy(msgspec.Struct, frozen=True):
    """When files have led to restarts lately; seconds of a monotonic clock."""

    times: Mapping[str, tuple[float, ...]] = {}

    def noted(self, files: Iterable[str], now: float) -> tuple[Busy, tuple[str, ...]]:
        """Return what to remember, and those files that change by themselves."""
        times = dict(self.times)
        for file in files:
            lately = tuple(time for time in times.get(file, ()) if now - time < WITHIN_S)
            times[file] = (*lately, now)
        return Busy(times), tuple(f for f in files if len(times[f]) > IN_A_ROW)
