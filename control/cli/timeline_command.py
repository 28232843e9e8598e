"""``bundlevisor timeline``: the start as lines, as a picture, or against earlier starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from bundlevisor.actors.telemetry.timeline import Timeline
from bundlevisor.actors.telemetry.timeline_compare import changes
from bundlevisor.control.cli import exit_codes
from bundlevisor.control.cli.queries import Refused, accepted, output
from bundlevisor.control.cli.tables import table
from bundlevisor.control.wire.bodies import Timelines

if TYPE_CHECKING:
    import argparse

    from bundlevisor.control.cli.client import Client


def show_timeline(client: Client, arguments: argparse.Namespace) -> int:
    """Print the timeline, write its picture, or say what became slower."""
    document = accepted(client.get("/timeline", earlier="true"))
    found = msgspec.convert(document, Timelines)
    if arguments.svg:
        _write_picture(found.timeline, arguments.svg)
        return exit_codes.OK
    if arguments.compare:
        output(arguments, document, lambda: _compared(found))
    else:
        output(arguments, document["timeline"], lambda: _lines(found.timeline))
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
