"""A start as a trace: its spans, and what a collector gets over HTTP."""

from __future__ import annotations

import gzip
import http.server
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bundlevisor.actors.telemetry.timeline import Span, Step, Timeline
from bundlevisor.control.cli.queries import Refused
from bundlevisor.control.cli.timeline_trace import pieces, send
from bundlevisor.testing.ports import free_block
from tests.control.commands import Cli
from tests.live_runtime import bundlevisor

EXEC = datetime(2026, 11, 27, 12, 0, 0, 250_000, tzinfo=UTC)
STEP = Step(what="migrations", begin_ms=20.0, end_ms=300.0)
START = Timeline(
    instance_id="x1",
    started_at=EXEC.isoformat(),
    app_version="1.2",
    ready_ms=500.0,
    summary="ready after 500 ms",
    services=(
        Span(id="db", preparation=(STEP,), spawned_ms=301.0, listening_ms=390.0, ready_ms=400.0),
        Span(id="api", dependencies=("db",), spawned_ms=401.0, ready_ms=500.0, critical=True),
        Span(id="late", dependencies=("api",)),
    ),
)


class Collector(http.server.BaseHTTPRequestHandler):
    """Takes traces."""

    taken: list[tuple[str, ExportTraceServiceRequest]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.taken.append((self.path, ExportTraceServiceRequest.FromString(body)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[http.server.ThreadingHTTPServer]:
    Collector.taken = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_service_begins_with_its_preparation_and_one_that_never_began_is_no_span() -> None:
    start = pieces(START)
    assert [(one.name, one.begin_ms, one.end_ms) for one in start.parts] == [
        ("db", 20.0, 400.0),
        ("api", 401.0, 500.0),
    ]
    assert [part.name for part in start.parts[0].parts] == [
        "migrations",
        "starting",
        "until found ready",
    ]
    assert (start.begin_ms, start.end_ms) == (0.0, 500.0)


def test_a_collector_gets_one_trace_with_the_right_times(
    collector: http.server.ThreadingHTTPServer,
) -> None:
    assert send(START, "Notes", f"http://127.0.0.1:{collector.server_port}") == 7
    ((path, request),) = Collector.taken
    assert path == "/v1/traces"
    (resource,) = request.resource_spans
    facts = {one.key: one.value.string_value for one in resource.resource.attributes}
    assert facts["service.name"] == "Notes"
    assert facts["service.instance.id"] == "x1"
    spans = {one.name: one for scope in resource.scope_spans for one in scope.spans}
    assert len({span.trace_id for span in spans.values()}) == 1
    assert spans["db"].parent_span_id == spans["start"].span_id
    assert spans["migrations"].parent_span_id == spans["db"].span_id
    exec_ns = int(EXEC.timestamp()) * 10**9 + 250_000_000
    assert spans["db"].start_time_unix_nano == pytest.approx(exec_ns + 20_000_000, abs=1000)
    assert spans["db"].end_time_unix_nano - spans["db"].start_time_unix_nano == 380_000_000


def test_an_address_where_nobody_listens_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bundlevisor.control.cli.timeline_trace.PATIENCE_S", 1)
    with pytest.raises(Refused, match="no collector has taken the trace at http://127"):
        send(START, "Notes", f"http://127.0.0.1:{free_block(1)}")
    assert capfd.readouterr() == ("", "")


def test_an_address_that_is_none_is_told_in_one_sentence(cli: Cli) -> None:
    """In a process of its own: the exporter says such a thing once."""
    done = bundlevisor("timeline", "--otlp", "nonsense", "--app-data", str(cli.app_data))
    said = "bundlevisor: no collector has taken the trace at nonsense/v1/traces\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", said)
