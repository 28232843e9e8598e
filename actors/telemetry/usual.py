"""How long the starts of services take usually: medians over the starts that are remembered."""

from __future__ import annotations

from collections.abc import Iterable

from bundlevisor.actors.telemetry.median import median
from bundlevisor.actors.telemetry.timeline import Span, Timeline


def usual_seconds(timelines: Iterable[Timeline]) -> dict[str, float]:
    """Return the median seconds of each service's start, preparation included, by its id.

    What a service waits for before its start is begun, as for a person who has to give a secret, is
    no part of it.
    """
    took: dict[str, list[float]] = {}
    for timeline in timelines:
        for span in timeline.services:
            begun = _begun(span)
            if span.ready_ms is not None and begun is not None:
                took.setdefault(span.id, []).append(max(0.0, span.ready_ms - begun) / 1000)
    return {id_: round(median(values), 3) for id_, values in took.items()}


def _begun(span: Span) -> float | None:
    """Return when it was begun: not when it could have been, which a secret may have held up."""
    return span.preparation[0].begin_ms if span.preparation else span.spawned_ms
