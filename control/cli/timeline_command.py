"""``bundlevisor timeline``: the start as lines, as a picture, or against earlier starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from bundlevisor.actors.telemetry.timeline import Span, Timeline
from bundlevisor.actors.telemetry.timeline_compare import changes
from bundlevisor.control.cli.queries import Refused, accepted, output
from bundlevisor.control.cli.screen.tables import table
from bundlevisor.control.wire import exit_codes
from bundlevisor.control.wire.bodies import Timelines

if TYPE_CHECKING:
    import argparse

    from bundlevisor.control.cli.client import Client


def show_timeline(client: Client, arguments: argparse.Namespace) -> int:
    """Print the timeline, write its picture, or say what took longest or became slower."""
    document = accepted(client.get("/timeline", earlier="true"))
    found = msgspec.convert(document, Timelines)
    if arguments.otlp is not None:
        from bundlevisor.control.cli.timeline_trace import send

        app = accepted(client.get("/status"))["app_name"]
        print(f"{send(found.timeline, app, arguments.otlp)} spans sent")
        return exit_codes.OK
    if arguments.svg:
        _write_picture(found.timeline, arguments.svg)
        return exit_codes.OK
    if arguments.compare:
        output(arguments, document, lambda: _compared(found))
    else:
        lines = _blame if arguments.blame else _lines
        output(arguments, document["timeline"], lambda: lines(found.timeline))
    return exit_codes.OK


def _write_picture(timeline: Timeline, path: str) -> None:
    from bundlevisor.actors.telemetry.timeline_picture import draw

    if path == "-":
        print(draw(timeline))
        return
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(draw(timeline))
    except OSError as error:
        raise Refused(f"cannot write {path}: {error.strerror}") from error


def _compared(found: Timelines) -> str:
    if not found.earlier:
        return "there is no earlier start to compare with"
    differing = changes(found.timeline, found.earlier)
    if not differing:
        return f"nothing differs from the last {len(found.earlier)} starts"
    return "\n".join(change.sentence for change in differing)


def _blame(timeline: Timeline) -> str:
    rows = []
    for span, lasted in blamed(timeline):
        parts = [f"{step.what} {step.end_ms - step.begin_ms:.0f}" for step in span.preparation]
        booted = span.listening_ms if span.listening_ms is not None else span.ready_ms
        if span.spawned_ms is not None and booted is not None:
            parts.append(f"starting {booted - span.spawned_ms:.0f}")
        if span.ready_ms is not None and booted is not None and span.ready_ms > booted:
            parts.append(f"until found ready {span.ready_ms - booted:.0f}")
        if span.ready_ms is None:
            parts.append("not ready")
        rows.append(
            [f"{lasted:.0f}", f"{'*' if span.critical else ' '} {span.id}", ", ".join(parts)]
        )
    return "\n".join(
        [
            timeline.summary,
            table(["ms", "  service", "of that, ms"], rows, right=["ms"]),
            "* on the critical path",
        ]
    )


def blamed(timeline: Timeline) -> list[tuple[Span, float]]:
    """Return the services with the milliseconds of their start, the longest first.

    A start begins with the first preparation, and ends with ready (or with what came last so far);
    waiting for dependencies is not counted.
    """
    found = []
    for span in timeline.services:
        times = [span.spawned_ms, span.output_ms, span.listening_ms, span.ready_ms]
        times += [at for step in span.preparation for at in (step.begin_ms, step.end_ms)]
        known = [at for at in times if at is not None]
        if known:
            found.append((span, max(known) - min(known)))
    return sorted(found, key=lambda one: (-one[1], one[0].id))


def _lines(timeline: Timeline) -> str:
    runtime = sorted(timeline.runtime.items(), key=lambda item: item[1])
    marks = "  ".join(f"{what} {at:.0f}" for what, at in runtime)
    spans = sorted(timeline.services, key=lambda span: (span.spawned_ms or 1e12, span.id))
    rows = [
        [
            f"{'*' if span.critical else ' '} {span.id}",
            *(
                "" if at is None else f"{at:.0f}"
                for at in (span.spawned_ms, span.output_ms, span.listening_ms, span.ready_ms)
            ),
        ]
        for span in spans
    ]
    heading = ["  service", "spawned", "output", "listening", "ready"]
    return "\n".join(
        [
            timeline.summary,
            f"milliseconds since exec; runtime: {marks}",
            table(heading, rows, right=heading[1:]),
            "* on the critical path",
        ]
    )
