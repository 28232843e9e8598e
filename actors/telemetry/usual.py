"""How long the starts of services take usually: medians over the starts that are remembered."""

from __future__ import annotations

from collections.abc import Iterable

from bundlevisor.actors.telemetry.timeline import Span, Timeline


def usual_seconds(timelines: Iterable[Timeline]) -> dict[str, float]:
    """Return the median seconds of each service's start, preparation included, by its id.

    A start is begun when the last dependency is ready, and over when the service itself is.
    """
    took: dict[str, list[float]] = {}
    for timeline in timelines:
        spans = {span.id: span for span in timeline.services}
        for span in timeline.services:
            if span.ready_ms is not None:
                lasted = max(0.0, span.ready_ms - _begun(span, spans))
                took.setdefault(span.id, []).append(lasted / 1000)
    return {id_: round(_median(values), 3) for id_, values in took.items()}


def _begun(span: Span, spans: dict[str, Span]) -> float:
    needed = (spans[id_].ready_ms for id_ in span.dependencies if id_ in spans)
    return max((at for at in needed if at is not None), default=span.waiting_ms)


def _median(values: list[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2
