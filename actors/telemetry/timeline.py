"""What took how long from exec to ready, made from the milestones that were noted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from bundlevisor.actors.telemetry.milestones import (
    LISTENING,
    OUTPUT,
    PORTS,
    PREPARATIONS,
    READY,
    SPAWNED,
    begin,
    end,
)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One preparation before a service is spawned. Milliseconds since exec."""

    what: str
    """``secrets``, ``assets`` or ``migrations``."""
    begin_ms: float
    end_ms: float


class Span(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One service's first start. Milliseconds since exec; None: has not happened."""

    id: str
    dependencies: tuple[str, ...] = ()
    waiting_ms: float = 0.0
    """When it could have started had it had no dependencies: when ports were chosen."""
    preparation: tuple[Step, ...] = ()
    """What was done before it was spawned, in order."""
    spawned_ms: float | None = None
    output_ms: float | None = None
    listening_ms: float | None = None
    ready_ms: float | None = None
    critical: bool = False
    """It lies on the critical path."""


class Timeline(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One start of the runtime. Milliseconds since exec."""

    instance_id: str
    started_at: str
    """When exec was, RFC 3339 UTC."""
    app_version: str
    ready_ms: float | None = None
    summary: str = ""
    runtime: dict[str, float] = {}
    services: tuple[Span, ...] = ()


def assemble(
    marks: Mapping[tuple[str, str], float],
    dependencies: Mapping[str, tuple[str, ...]],
    *,
    instance_id: str,
    started_at: str,
    app_version: str,
) -> Timeline:
    """Make the timeline of a start from its marks, with its critical path and its summary."""
    spans = {id_: _span(id_, needs, marks) for id_, needs in dependencies.items()}
    path = critical_path(spans)
    finished = [span.ready_ms for span in spans.values()]
    ready = max((at for at in finished if at is not None), default=None)
    complete = bool(finished) and None not in finished
    return Timeline(
        instance_id=instance_id,
        started_at=started_at,
        app_version=app_version,
        ready_ms=ready if complete else None,
        summary=summarise(spans, path) if complete else "not ready yet",
        runtime={what: at for (service, what), at in marks.items() if not service},
        services=tuple(
            msgspec.structs.replace(span, critical=id_ in path) for id_, span in spans.items()
        ),
    )


def critical_path(spans: Mapping[str, Span]) -> list[str]:
    """Return the chain of services that decided when everything was ready, first one first."""
    path: list[str] = []
    current = _latest(spans, spans)
    while current is not None:
        path.append(current)
        current = _latest(spans, spans[current].dependencies)
    return path[::-1]


def summarise(spans: Mapping[str, Span], path: list[str]) -> str:
    """Say in one sentence where the time went: the longest part of the critical path."""
    if not path:
        return "nothing was started"
    total = spans[path[-1]].ready_ms or 0.0
    parts: list[tuple[float, str]] = []
    before = 0.0
    for id_ in path:
        parts += _parts(spans[id_], before)
        before = spans[id_].ready_ms or 0.0
    longest, what = max(parts)
    return f"ready after {total:.0f} ms: {longest:.0f} ms of it is {what}"


def _parts(span: Span, before: float) -> list[tuple[float, str]]:
    """Return the milliseconds of each part of a service's start, and what it is."""
    spawned, ready = span.spawned_ms or 0.0, span.ready_ms or 0.0
    steps = [
        (step.end_ms - step.begin_ms, f"the {step.what} of '{span.id}'")
        for step in span.preparation
    ]
    waited = spawned - before - sum(lasted for lasted, _ in steps)
    return [
        (waited, f"until '{span.id}' was started"),
        *steps,
        (ready - spawned, f"'{span.id}' starting"),
    ]


def _steps(id_: str, marks: Mapping[tuple[str, str], float]) -> tuple[Step, ...]:
    found = [
        Step(what=what, begin_ms=marks[id_, begin(what)], end_ms=marks[id_, end(what)])
        for what in PREPARATIONS
        if (id_, begin(what)) in marks and (id_, end(what)) in marks
    ]
    return tuple(sorted(found, key=lambda step: step.begin_ms))


def _span(id_: str, needs: tuple[str, ...], marks: Mapping[tuple[str, str], float]) -> Span:
    return Span(
        id=id_,
        dependencies=needs,
        waiting_ms=marks.get(("", PORTS), 0.0),
        preparation=_steps(id_, marks),
        spawned_ms=marks.get((id_, SPAWNED)),
        output_ms=marks.get((id_, OUTPUT)),
        listening_ms=marks.get((id_, LISTENING)),
        ready_ms=marks.get((id_, READY)),
    )


def _latest(spans: Mapping[str, Span], ids: Iterable[str]) -> str | None:
    """Return the one that was ready last; services that are not ready count for nothing."""
    ready = [(at, id_) for id_ in ids if id_ in spans and (at := spans[id_].ready_ms) is not None]
    return max(ready)[1] if ready else None
