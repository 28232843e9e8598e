"""Which services are restarted for files that have changed, and when it is time to do so. Pure.

A build writes a file in pieces, an editor several at once: nothing is done before two looks have
seen the same, unless something changes all the time. A file that its own service writes would
restart it for ever: after some restarts in a row for it, it is passed over, until it has been left
alone for a while. Somebody who saves every few seconds has his file back by that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from bundlevisor.actors.core.snapshot import ServiceView
from bundlevisor.control.watch.file_states import Look, changed
from bundlevisor.control.watch.watched import Watched
from bundlevisor.manifest.format.paths import within

IN_A_ROW = 5
WITHIN_S = 30.0
"""So many restarts for one file in so many seconds; then it has to be left alone for as long."""
FIRST_S = 3.0
AROUND_S = 1.0
"""A service writes within so many seconds of its start, or of being ready."""
UNREST = 20
"""Looks in a row that see a change, some 5 s, after which what changes holds up itself only: a
database is never done with it."""


class Settling(msgspec.Struct, frozen=True):
    """What was seen when the last restart was decided, and at the last look."""

    settled: Look
    last: Look
    unrest: int = 0
    """How many looks in a row have seen a change."""


def step(before: Settling, now: Look) -> tuple[Settling, tuple[str, ...]]:
    """Return what to remember, and the files whose change has come to its end."""
    if now == before.last == before.settled:
        return Settling(now, now), ()
    moving = changed(before.last, now)
    unrest = before.unrest + 1 if moving else 0
    if moving and unrest < UNREST:
        return Settling(before.settled, now, unrest), ()
    settled = {**now, **{path: before.settled.get(path) for path in moving}}
    known = {path: seen for path, seen in settled.items() if seen is not None}
    return Settling(known, now), changed(before.settled, known)


def concerned(files: Iterable[str], of: Watched) -> dict[str, tuple[str, ...]]:
    """Return the files that changed, by the services that they belong to."""
    listed = tuple(files)
    found = {
        id_: tuple(file for file in listed if any(within(file, path) for path in paths))
        for id_, paths in of.items()
    }
    return {id_: theirs for id_, theirs in found.items() if theirs}


class Busy(msgspec.Struct, frozen=True):
    """Which files have led to restarts lately, and which may be written by their own services."""

    times: Mapping[str, tuple[float, ...]] = {}
    """When, in seconds of a monotonic clock."""
    streaks: Mapping[str, int] = {}
    """How often in a row a file changed while its service started."""
    given_up: Mapping[str, float] = {}
    """When those that change by themselves have changed last."""

    def passing_over(
        self, files: Iterable[str], now: float, at_start: Collection[str]
    ) -> tuple[Busy, frozenset[str]]:
        """Return what to remember, and those of these files that lead to no restart."""
        given_up, passed = dict(self.given_up), set()
        for file in given_up.keys() & set(files):
            if now - given_up[file] > WITHIN_S and file not in at_start:
                del given_up[file]
            else:
                given_up[file] = now
                passed.add(file)
        return msgspec.structs.replace(self, given_up=given_up), frozenset(passed)

    def noted(
        self, files: Iterable[str], now: float, at_start: Collection[str] = ()
    ) -> tuple[Busy, tuple[str, ...]]:
        """Return what to remember, and those files that change by themselves.

        ``at_start`` are those that changed while their service started.
        """
        times, streaks = dict(self.times), dict(self.streaks)
        for file in files:
            lately = tuple(time for time in times.get(file, ()) if now - time < WITHIN_S)
            times[file] = (*lately, now)
            streaks[file] = streaks.get(file, 0) + 1 if file in at_start else 0
        hopeless = tuple(
            file for file in files if len(times[file]) > IN_A_ROW or streaks[file] >= IN_A_ROW
        )
        streaks |= dict.fromkeys(hopeless, 0)
        return Busy(times, streaks, {**self.given_up, **dict.fromkeys(hopeless, now)}), hopeless


def while_starting(changed_at: float, view: ServiceView) -> bool:
    """Whether a file changed when services write files: at the begin of a start, or at its end.

    ``changed_at`` is in seconds since the epoch. What changes between may be edited by somebody
    who mends a service that does not become ready.
    """
    begun, ready = view.begun_at or view.started_at, view.ready_at
    if begun is None or changed_at < begun:
        return False
    became_ready = ready is not None and ready >= begun and abs(changed_at - ready) < AROUND_S
    return changed_at < begun + FIRST_S or became_ready
