"""What became slower since earlier starts: each part against its own median, noise left out."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bundlevisor.actors.telemetry.median import median
from bundlevisor.actors.telemetry.milestones import API, MANIFEST, PORTS
from bundlevisor.actors.telemetry.timeline import Timeline

WORTH_MS = 20.0
"""A difference below this is not worth a word."""
WORTH_FACTOR = 1.3
"""Nor is one below this factor: starts on one machine differ that much by themselves."""


class Change(msgspec.Struct, frozen=True):
    """How long a part took this time and in the median of earlier starts, in milliseconds."""

    what: str
    now_ms: float
    before_ms: float

    @property
    def sentence(self) -> str:
        """Say it in words."""
        word = "slower" if self.now_ms > self.before_ms else "faster"
        return f"{self.what}: {self.now_ms:.0f} ms, {word} than the {self.before_ms:.0f} ms before"


def changes(now: Timeline, earlier: Sequence[Timeline]) -> list[Change]:
    """Return the parts that differ from their median, the largest difference first."""
    before = [parts(timeline) for timeline in earlier]
    found = []
    for what, took in parts(now).items():
        known = [others[what] for others in before if what in others]
        if known:
            found.append(Change(what, took, median(known)))
    differing = [change for change in found if _is_worth_a_word(change)]
    return sorted(differing, key=lambda change: -abs(change.now_ms - change.before_ms))


def parts(timeline: Timeline) -> dict[str, float]:
    """Return how long each part of a start took: the whole, the runtime's own, every service."""
    took = {}
    if timeline.ready_ms is not None:
        took["everything ready"] = timeline.ready_ms
    for what in (MANIFEST, PORTS, API):
        if what in timeline.runtime:
            took[f"runtime until {what}"] = timeline.runtime[what]
    for span in timeline.services:
        if span.ready_ms is not None and span.spawned_ms is not None:
            took[f"service '{span.id}'"] = span.ready_ms - span.spawned_ms
        for step in span.preparation:
            took[f"{step.what} of service '{span.id}'"] = step.end_ms - step.begin_ms
    return took


def _is_worth_a_word(change: Change) -> bool:
    low, high = sorted((change.now_ms, change.before_ms))
    return high - low >= WORTH_MS and high >= low * WORTH_FACTOR
