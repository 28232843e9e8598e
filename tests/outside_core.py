"""Decisions that are no part of the pure core: modules that touch nothing, beside one that does.

Their tests are those of the edge that they serve, which start processes and open sockets, so that
neither every branch is demanded of them (:mod:`tests.pure_core`) nor is each of them changed to see
who notices (:mod:`tests.mutants`). The core is what decides on the life of services, on what a
bundle means, on who is let in and on what is shown.
"""

from __future__ import annotations

OUTSIDE: dict[str, tuple[str, ...]] = {
    "a format or a protocol, read or written for the edge that speaks it": (
        "actors.files.json_text",
        "actors.process.binary_header",
        "actors.telemetry.event",
        "actors.ui_server.files.mime",
        "actors.ui_server.http.caching",
        "actors.ui_server.http.headers",
        "actors.ui_server.metadata",
        "control.wire.exchange",
    ),
    "a structure or a value of the edge that holds it": (
        "actors.launch.inputs",
        "actors.logs.line_search",
        "actors.loop.timers",
        "actors.process.plain_signals",
        "actors.process.spawn_request",
        "control.api.process_sample",
    ),
    "words and pictures for a person": (
        "control.cli.screen.usage_history",
        "control.develop.graph_text",
        "control.watch.differences",
    ),
    "of those who measure or test, not of the runtime": (
        "perf.critical_path",
        "perf.noise",
        "perf.records",
        "perf.report",
        "testing.words",
    ),
}
"""Why, and which, without ``bundlevisor.`` before it."""
