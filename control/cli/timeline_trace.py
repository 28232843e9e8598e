"""A start as a trace for OpenTelemetry: a span for it, one for each service, and their parts.

Sent by the SDK as OTLP over HTTP; both are the extra ``bundlevisor[otel]``, of the client only. The
attributes follow the semantic conventions where these have a name (``service.*``), else they begin
with ``bundlevisor.``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from bundlevisor.actors.telemetry.timeline import Span, Timeline
from bundlevisor.control.cli.queries import Refused

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Tracer

PATH = "/v1/traces"
NS_PER_MS = 1_000_000
PATIENCE_S = 10
"""Seconds in which a collector has to take it, attempts included."""


class Piece(msgspec.Struct, frozen=True):
    """One span: times are milliseconds since exec."""

    name: str
    begin_ms: float
    end_ms: float
    attributes: dict[str, str | int | float | bool] = {}
    parts: tuple[Piece, ...] = ()


def pieces(timeline: Timeline) -> Piece:
    """Return the start as a tree; services that have not come to ready end with what they reached.

    A service's span begins with its first preparation, or its spawn: waiting for what it needs is
    not its own time.
    """
    services = tuple(found for span in timeline.services if (found := _service(span)) is not None)
    ends = [timeline.ready_ms or 0.0, *(one.end_ms for one in services), *timeline.runtime.values()]
    return Piece(
        name="start",
        begin_ms=0.0,
        end_ms=max(ends),
        attributes={"bundlevisor.summary": timeline.summary},
        parts=services,
    )


def _service(span: Span) -> Piece | None:
    parts = tuple(_parts(span))
    if not parts:
        return None
    return Piece(
        name=span.id,
        begin_ms=min(part.begin_ms for part in parts),
        end_ms=max(part.end_ms for part in parts),
        attributes={
            "bundlevisor.service.id": span.id,
            "bundlevisor.service.ready": span.ready_ms is not None,
            "bundlevisor.critical": span.critical,
            "bundlevisor.dependencies": ",".join(span.dependencies),
        },
        parts=parts,
    )


def _parts(span: Span) -> Iterator[Piece]:
    for step in span.preparation:
        yield Piece(step.what, step.begin_ms, step.end_ms)
    if span.spawned_ms is None:
        return
    booted = next(
        (at for at in (span.listening_ms, span.ready_ms, span.output_ms) if at is not None),
        span.spawned_ms,
    )
    yield Piece("starting", span.spawned_ms, max(booted, span.spawned_ms))
    if span.ready_ms is not None and span.ready_ms > booted:
        yield Piece("until found ready", booted, span.ready_ms)


def send(timeline: Timeline, app: str, endpoint: str) -> int:
    """Send the trace to a collector; returns how many spans. Refused where that cannot be."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    except ImportError as error:
        raise Refused(
            f"sending a trace needs the extra: pip install 'bundlevisor[otel]' ({error})"
        ) from error
    logging.getLogger("opentelemetry").addHandler(logging.NullHandler())  # we say what fails
    logging.getLogger("opentelemetry").propagate = False
    memory = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource.create(_of_app(timeline, app)))
    provider.add_span_processor(SimpleSpanProcessor(memory))
    began = datetime.fromisoformat(timeline.started_at)
    _record(pieces(timeline), provider.get_tracer("bundlevisor"), int(began.timestamp() * 1e9))
    spans = memory.get_finished_spans()
    to = _traces_of(endpoint)
    exporter = OTLPSpanExporter(endpoint=to, timeout=PATIENCE_S)
    try:
        sent = exporter.export(spans) is SpanExportResult.SUCCESS
    except (OSError, ValueError):  # an address that is none
        sent = False
    finally:
        exporter.shutdown()  # type: ignore[no-untyped-call]
    if not sent:
        raise Refused(f"no collector has taken the trace at {to}")
    return len(spans)


def _of_app(timeline: Timeline, app: str) -> dict[str, str]:
    return {
        "service.name": app,
        "service.version": timeline.app_version,
        "service.instance.id": timeline.instance_id,
    }


def _record(piece: Piece, tracer: Tracer, exec_ns: int, parent: Context | None = None) -> None:
    from opentelemetry.trace import set_span_in_context

    span = tracer.start_span(
        piece.name,
        context=parent,
        attributes=piece.attributes,
        start_time=exec_ns + int(piece.begin_ms * NS_PER_MS),
    )
    for part in piece.parts:
        _record(part, tracer, exec_ns, set_span_in_context(span))
    span.end(exec_ns + int(piece.end_ms * NS_PER_MS))


def _traces_of(endpoint: str) -> str:
    """Return where traces go: to a base address the signal's path is appended (OTLP's rule)."""
    return endpoint if endpoint.rstrip("/").endswith(PATH) else endpoint.rstrip("/") + PATH
