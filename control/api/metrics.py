"""``GET /metrics``: numbers for Prometheus.

Written by prometheus_client, imported at the first request (12 ms and 1.5 MiB, once): escaping is
its business. No registry outlives a request; the numbers are those of the snapshot, of the process
trees and of the runtime's gauges.
"""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING

import msgspec

from bundlevisor.actors.core.snapshot import Phase, State
from bundlevisor.actors.loop.wall_time import moment
from bundlevisor.actors.stand_ins import for_api
from bundlevisor.actors.telemetry.milestones import LISTENING, OUTPUT, READY, SPAWNED
from bundlevisor.control.api.status import MOMENT_S, leaders, pids, uptime
from bundlevisor.control.wire.operations import PROMETHEUS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import falcon
    from prometheus_client import Metric

    from bundlevisor.actors.core.snapshot import ServiceView, Snapshot
    from bundlevisor.actors.telemetry.timeline import Timeline
    from bundlevisor.control.api.usage import Meter, Usage
    from bundlevisor.control.wire.facade import Facts, Gauges, RuntimeApi


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the metrics are made of, at one moment."""

    facts: Facts
    snapshot: Snapshot
    usage: dict[int, Usage]
    cpu_seconds: dict[str, float]
    gauges: Gauges
    timeline: Timeline
    now: float


class MetricsResource:
    """All metrics of the bundle and of the runtime; made once for each picture and moment.

    To make them takes 4 ms of the interpreter, and twice that where several are made at once.
    """

    def __init__(self, runtime: RuntimeApi, meter: Meter) -> None:
        self._runtime = runtime
        self._meter = meter
        self._making = threading.Lock()
        self._made_at = -math.inf
        self._of: Snapshot | None = None
        self._text = b""

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Answer the text format."""
        for_api.import_prometheus()
        with self._making:
            snapshot = self._runtime.board.snapshot
            if snapshot is not self._of or time.monotonic() - self._made_at >= MOMENT_S:
                self._text = self._make(snapshot)
                self._of, self._made_at = snapshot, time.monotonic()
            text = self._text
        resp.content_type = PROMETHEUS
        resp.data = text

    def _make(self, snapshot: Snapshot) -> bytes:
        from prometheus_client import CollectorRegistry, generate_latest

        look = Measured(
            facts=self._runtime.facts,
            snapshot=snapshot,
            usage=self._meter.measure(pids(snapshot)),
            cpu_seconds=self._meter.count(leaders(snapshot)),
            gauges=self._runtime.gauges(),
            timeline=self._runtime.timeline(),
            now=moment(),
        )
        registry = CollectorRegistry()
        registry.register(Collector(look))
        return generate_latest(registry)


class Collector:
    """What prometheus_client asks for the metrics."""

    def __init__(self, look: Measured) -> None:
        self._look = look

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        yield from of_process()
        yield from of_runtime(self._look)
        yield from of_start(self._look.timeline)
        yield from of_services(self._look)
        yield from of_exits(self._look.gauges)
        yield from of_probes(self._look.gauges)
        yield from of_logs(self._look.gauges)


def of_runtime(look: Measured) -> Iterator[Metric]:
    """Yield what concerns the runtime itself."""
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily

    facts, gauges = look.facts, look.gauges
    yield InfoMetricFamily(
        "bundlevisor",
        "What runs.",
        {
            "version": facts.runtime_version,
            "instance_id": facts.instance_id,
            "app_name": facts.manifest.app.name,
            "app_version": facts.manifest.app.version,
        },
    )
    running = look.snapshot.phase is Phase.RUNNING
    yield GaugeMetricFamily("bundlevisor_running", "0 while it stops.", value=running)
    yield GaugeMetricFamily("bundlevisor_ready", "1 when all are ready.", look.snapshot.ready)
    yield GaugeMetricFamily(
        "bundlevisor_uptime_seconds", "Since its start.", max(0.0, look.now - facts.started_at)
    )
    yield CounterMetricFamily(
        "bundlevisor_events", "Telemetry events written.", gauges.events_written
    )
    yield CounterMetricFamily(
        "bundlevisor_events_dropped", "Telemetry events lost.", gauges.events_dropped
    )


def of_services(look: Measured) -> Iterator[Metric]:
    """Yield state, restarts, uptime, CPU and memory of each service."""
    from prometheus_client.core import GaugeMetricFamily

    views = look.snapshot.services.values()
    states = GaugeMetricFamily(
        "bundlevisor_service_state", "1 for the state in force.", labels=["service", "state"]
    )
    for view in views:
        for state in State:
            states.add_metric([view.id, state.value], view.state is state)
    yield states

    def usage(view: ServiceView) -> Usage | None:
        return look.usage.get(view.pid or 0)

    prefix = "bundlevisor_service_"
    yield _gauge(prefix + "ready", "1 when ready.", views, lambda view: float(view.ready))
    yield _counter(
        prefix + "restarts", "Restarts so far.", {view.id: float(view.restarts) for view in views}
    )
    yield _gauge(
        prefix + "uptime_seconds",
        "Since its last start, 0 when down.",
        views,
        lambda view: uptime(view, look.now),
    )
    cpu = dict.fromkeys(look.snapshot.services, 0.0) | look.cpu_seconds
    yield _counter(prefix + "cpu_seconds", "CPU time of its trees, as seen at each look.", cpu)
    yield _gauge(
        prefix + "memory_bytes",
        "Resident memory of its tree.",
        views,
        lambda view: float(found.rss_bytes) if (found := usage(view)) else 0.0,
    )


def of_process() -> Iterator[Metric]:
    """Yield what Prometheus' own clients say of a process, here the runtime."""
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    try:
        created, cpu_seconds, rss_bytes = _own_process()
    except OSError:  # no descriptor is to be had: all else can be told
        return
    yield GaugeMetricFamily("process_start_time_seconds", "Since the epoch.", created)
    yield CounterMetricFamily("process_cpu_seconds", "CPU time of the runtime.", cpu_seconds)
    yield GaugeMetricFamily("process_resident_memory_bytes", "Memory of the runtime.", rss_bytes)


def _own_process() -> tuple[float, float, int]:
    """Return when this process began, its CPU seconds and its memory in bytes. OSError."""
    import psutil

    process = psutil.Process()
    with process.oneshot():
        times = process.cpu_times()
        return process.create_time(), times.user + times.system, process.memory_info().rss


def of_start(timeline: Timeline) -> Iterator[Metric]:
    """Yield when, in seconds since exec, this start has come how far."""
    from prometheus_client.core import GaugeMetricFamily

    runtime = GaugeMetricFamily(
        "bundlevisor_start_seconds", "From exec to a milestone.", labels=["milestone"]
    )
    marks = timeline.runtime | ({"ready": timeline.ready_ms} if timeline.ready_ms else {})
    for milestone, at in marks.items():
        runtime.add_metric([milestone], round(at / 1000, 6))
    yield runtime
    services = GaugeMetricFamily(
        "bundlevisor_service_start_seconds",
        "From exec to a milestone of its first start.",
        labels=["service", "milestone"],
    )
    for span in timeline.services:
        for milestone in (SPAWNED, OUTPUT, LISTENING, READY):
            at = getattr(span, f"{milestone}_ms")
            if at is not None:
                services.add_metric([span.id, milestone], round(at / 1000, 6))
    yield services


def of_exits(gauges: Gauges) -> Iterator[Metric]:
    """Yield how often each service has ended, and by what."""
    from prometheus_client.core import CounterMetricFamily

    exits = CounterMetricFamily(
        "bundlevisor_service_exits", "Ends of its leader.", labels=["service", "by"]
    )
    for service, counts in gauges.exits.items():
        for by, count in counts.items():
            exits.add_metric([service, by], count)
    yield exits


def of_probes(gauges: Gauges) -> Iterator[Metric]:
    """Yield how often and how long each service was probed."""
    from prometheus_client.core import GaugeMetricFamily, SummaryMetricFamily

    latency = SummaryMetricFamily(
        "bundlevisor_probe_seconds", "How long probes took.", labels=["service"]
    )
    last = GaugeMetricFamily(
        "bundlevisor_probe_last_seconds", "How long the last probe took.", labels=["service"]
    )
    for service, probe in gauges.probes.items():
        latency.add_metric([service], probe.count, probe.seconds_sum)
        last.add_metric([service], probe.seconds_last)
    yield latency
    yield last
    failed = {service: float(probe.failed) for service, probe in gauges.probes.items()}
    yield _counter("bundlevisor_probe_failures", "Probes that failed.", failed)


def of_logs(gauges: Gauges) -> Iterator[Metric]:
    """Yield how much each service has written, and how much of it was lost."""
    written = {service: float(count) for service, count in gauges.log_bytes.items()}
    yield _counter("bundlevisor_log_bytes", "Bytes written by the service.", written)
    dropped = {service: float(count) for service, count in gauges.log_bytes_dropped.items()}
    yield _counter("bundlevisor_log_bytes_dropped", "Bytes that reached no file.", dropped)


def _gauge(
    name: str, text: str, views: Iterable[ServiceView], value: Callable[[ServiceView], float]
) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(name, text, labels=["service"])
    for view in views:
        family.add_metric([view.id], value(view))
    return family


def _counter(name: str, text: str, values: dict[str, float]) -> Metric:
    from prometheus_client.core import CounterMetricFamily

    family = CounterMetricFamily(name, text, labels=["service"])
    for service, value in values.items():
        family.add_metric([service], value)
    return family
