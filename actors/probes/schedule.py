"""When the health checks of one incarnation are asked: eagerly until it is ready, then regularly.

Readiness: as soon as the port is listened on, then again and again at a twentieth of the time
waited so far (1 ms at first, ``interval_ms`` at most) until the check is well. Liveness: every
``interval_ms``, counted from answer to question, so that a slow service is not asked twice at once
(where the bundle sets none: every half second at first, and ever more rarely while all is well),
and at most an eighth of it or 250 ms later: services that are due by then are asked in one turn,
and a laptop that does nothing is woken once for all of them.
"""

from __future__ import annotations

import math

import msgspec

SLACK = 0.25
"""Seconds that a regular check may be late, at most, so that it is asked together with others."""


def asked_at(due: float, interval: float) -> float:
    """Return the moment of a regular check that is due: the next one that others share."""
    step = min(SLACK, interval / 8)
    return math.ceil(due / step) * step


class Pace(msgspec.Struct, frozen=True):
    """Seconds between two regular checks; while all is well they double, up to ``widest``."""

    interval: float
    widest: float

    def after(self, wait: float, trouble: str) -> float:
        """Return the wait that follows a check which was waited for ``wait`` seconds."""
        return self.interval if trouble else min(2 * wait, self.widest)


class ProbeStats:
    """The checks of one service so far: how many, and the seconds until they were answered."""

    __slots__ = ("count", "failed", "seconds_last", "seconds_sum")

    def __init__(self) -> None:
        self.count = 0
        self.failed = 0
        self.seconds_sum = 0.0
        self.seconds_last = 0.0

    def add(self, seconds: float, *, failed: bool) -> None:
        """Count an answer."""
        self.count += 1
        self.failed += failed
        self.seconds_sum += seconds
        self.seconds_last = seconds
