"""Metrics, usage and the API's description."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bundlevisor.actors.core.snapshot import State
from bundlevisor.control.api import metrics, status, usage
from bundlevisor.control.api.app import resources
from bundlevisor.control.api.process_sample import Sample
from bundlevisor.control.api.ready import ReadyResource
from bundlevisor.control.api.usage import Meter, used
from bundlevisor.control.dashboard.guests import Guests
from bundlevisor.control.wire.closing import Closing
from bundlevisor.control.wire.operations import OPERATIONS
from tests.control.fake_runtime import FakeRuntime
from tests.control.wire import Api
from tests.waiting import WITHIN, wait_until

ROOT = Path(__file__).parents[2]
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(api: Api) -> Samples:
    reply = api.get("/metrics")
    assert reply.headers["Content-Type"].startswith("text/plain; version=")
    families = text_string_to_metric_families(reply.body.decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_metrics_are_what_prometheus_reads(api: Api, runtime: FakeRuntime) -> None:
    runtime.change("db", State.BACKOFF, restarts=4)
    found = samples(api)
    db = ("service", "db")
    assert found["bundlevisor_service_state", (db, ("state", "backoff"))] == 1
    assert found["bundlevisor_service_state", (db, ("state", "ready"))] == 0
    assert found["bundlevisor_service_restarts_total", (db,)] == 4
    assert found["bundlevisor_service_ready", (("service", "web.api-1"),)] == 1
    assert found["bundlevisor_probe_seconds_sum", (db,)] == 0.5
    assert found["bundlevisor_probe_seconds_count", (db,)] == 3
    assert found["bundlevisor_probe_failures_total", (db,)] == 1
    assert found["bundlevisor_log_bytes_total", (db,)] == 12
    assert found["bundlevisor_service_exits_total", (("by", "itself"), db)] == 2
    assert found["bundlevisor_start_seconds", (("milestone", "ready"),)] == 0.4
    assert found["bundlevisor_service_start_seconds", (("milestone", "spawned"), db)] == 0.01
    assert found["process_start_time_seconds", ()] == psutil.Process().create_time()
    assert found["process_cpu_seconds_total", ()] > 0
    assert found["bundlevisor_events_total", ()] == 7
    assert found["bundlevisor_running", ()] == 1
    assert found["bundlevisor_uptime_seconds", ()] > 0


@pytest.fixture
def tree() -> Iterator[subprocess.Popen[bytes]]:
    """A process with a child that holds 30 MB, both busy until they are killed."""
    inner = "b = bytearray(30_000_000); print(flush=True)\nwhile True: pass"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", outer], stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process

        for one in psutil.Process(process.pid).children(recursive=True):
            one.kill()
        process.kill()


def test_usage_is_that_of_the_whole_tree(
    api: Api, runtime: FakeRuntime, tree: subprocess.Popen[bytes]
) -> None:
    runtime.change("db", State.READY, pid=tree.pid)

    def busy() -> bool:
        db = api.get("/status").json()["services"][0]
        return bool(db["rss_bytes"] > 30_000_000 and db["cpu_percent"] > 10)

    wait_until(busy, what="memory and CPU of the grandchild are counted")
    found = samples(api)
    assert found["bundlevisor_service_memory_bytes", (("service", "db"),)] > 30_000_000


def test_cpu_is_a_counter_over_all_incarnations(
    api: Api, runtime: FakeRuntime, tree: subprocess.Popen[bytes]
) -> None:
    key = ("bundlevisor_service_cpu_seconds_total", (("service", "db"),))
    assert samples(api)[key] == 0
    runtime.change("db", State.READY, pid=tree.pid)
    first = wait_until(lambda: samples(api)[key], what="the tree has used the processor")
    runtime.change("db", State.BACKOFF, pid=None)
    assert samples(api)[key] >= first
    runtime.change("db", State.READY, pid=os.getpid())
    assert samples(api)[key] >= first
    runtime.change("db", State.READY, pid=tree.pid)
    wait_until(lambda: samples(api)[key] > first, what="it has used more")


def test_a_process_that_is_gone_counts_for_nothing(api: Api, runtime: FakeRuntime) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    runtime.change("db", State.READY, pid=process.pid)
    db = api.get("/status").json()["services"][0]
    assert (db["cpu_percent"], db["rss_bytes"], db["pid"]) == (0.0, 0, process.pid)


def test_a_process_of_somebody_else_is_not_counted() -> None:
    assert Meter().measure([os.getppid()])[os.getppid()].rss_bytes == 0


def test_a_process_of_several_services_counts_for_each_with_an_equal_part(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(usage, "FRESH_S", 1000.0)
    meter, us = Meter(), os.getpid()
    whole = meter.measure([us])[us]
    for half in (meter.measure([us, us])[us], (meter.remembered([us, us]) or {})[us]):
        assert half.rss_bytes == whole.rss_bytes // 2
        assert half.cpu_percent == pytest.approx(whole.cpu_percent / 2, abs=0.1)


def test_cpu_of_a_process_of_several_services_is_counted_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also when one of them joins it later, and another one leaves."""
    spent = [4.0]

    def samples(leaders: set[int]) -> dict[int, dict[int, Sample]]:
        return {leader: {leader: Sample(1.0, spent[0], 1)} for leader in leaders}

    monkeypatch.setattr("bundlevisor.control.api.usage.trees.samples", samples)
    monkeypatch.setattr(usage, "FRESH_S", 0.0)
    meter = Meter()
    assert meter.count({"ui": 7, "docs": 7}) == {"ui": 2.0, "docs": 2.0}
    spent[0] = 10.0
    assert meter.count({"ui": 7, "docs": 7, "new": 7}) == {"ui": 4.0, "docs": 4.0, "new": 2.0}
    spent[0] = 11.0
    assert meter.count({"ui": 7}) == {"ui": 5.0, "docs": 4.0, "new": 2.0}


def test_what_was_measured_is_remembered_for_a_while_and_for_whom_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(usage, "FRESH_S", 1000.0)
    meter, us = Meter(), [os.getpid()]
    assert meter.remembered(us) is None
    measured = meter.measure(us)
    assert meter.remembered(us) == measured
    assert meter.remembered([*us, 1]) is None
    meter.measured_at = time.monotonic() - usage.FRESH_S
    assert meter.remembered(us) is None
    with meter._lock:  # somebody measures
        meter.measured_at = time.monotonic() - usage.FRESH_S
        assert meter.remembered(us) == measured
        meter.measured_at -= usage.FRESH_S
        assert meter.remembered(us) is None


def test_metrics_are_made_once_for_all_who_ask_at_a_moment(
    api: Api, runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "MOMENT_S", 1000.0)
    kept = api.get("/metrics").body
    with ThreadPoolExecutor() as pool:
        assert {one.body for one in pool.map(api.get, ["/metrics"] * 4)} == {kept}
    runtime.change("db", State.BACKOFF, restarts=7)
    assert samples(api)["bundlevisor_service_restarts_total", (("service", "db"),)] == 7
    monkeypatch.setattr(metrics, "MOMENT_S", 0.0)
    kept = api.get("/metrics").body
    wait_until(lambda: api.get("/metrics").body != kept, what="it is up for longer")


def test_what_has_changed_is_said_at_once_although_answers_are_kept_for_a_moment(
    api: Api, runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage, "FRESH_S", 1000.0)
    monkeypatch.setattr(status, "MOMENT_S", 1000.0)
    api.get("/status")
    kept = api.get("/status").body
    assert api.get("/status").body == kept
    runtime.change("db", State.READY, message="up again")
    assert api.get("/status").json()["services"][0]["message"] == "up again"
    monkeypatch.setattr(status, "MOMENT_S", 0.0)
    uptime = api.get("/status").json()["uptime_s"]
    wait_until(lambda: api.get("/status").json()["uptime_s"] > uptime, what="it is up for longer")


def test_a_look_at_the_processes_holds_nobody_up(
    api: Api, runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking, look_on = threading.Event(), threading.Event()

    def samples(_leaders: set[int]) -> dict[int, dict[int, Sample]]:
        looking.set()
        look_on.wait(WITHIN)
        return {}

    monkeypatch.setattr("bundlevisor.control.api.usage.trees.samples", samples)
    with ThreadPoolExecutor() as pool:
        asked = [pool.submit(api.get, "/status") for _ in range(3)]
        assert looking.wait(WITHIN)
        assert api.get("/readyz").status == 200
        look_on.set()
        assert [one.result(20).status for one in asked] == [200] * 3


def test_cpu_is_what_was_spent_between_two_looks() -> None:
    before = {1: Sample(10.0, 5.0, 100), 2: Sample(11.0, 9.0, 100)}
    now = {1: Sample(10.0, 6.0, 200), 3: Sample(12.0, 0.5, 50)}
    usage = used(before, now, 2.0)
    assert usage.cpu_percent == 75.0
    assert usage.rss_bytes == 250
    assert usage.cpu_seconds == 6.5


def test_a_reused_pid_is_another_process() -> None:
    usage = used({1: Sample(10.0, 5.0, 1)}, {1: Sample(99.0, 0.2, 1)}, 1.0)
    assert usage.cpu_percent == 20.0


def test_the_description_covers_every_address_and_nothing_else(runtime: FakeRuntime) -> None:
    closing = Closing()
    ready = ReadyResource(runtime, closing)
    served = resources(runtime, closing, Guests, Meter(), ready)
    described = {(operation.path, operation.method) for operation in OPERATIONS}
    answered = {
        (path, method)
        for path, resource in served.items()
        for method in ("get", "post", "put", "patch", "delete")
        if hasattr(resource, f"on_{method}")
    }
    assert described == answered | {("/healthz", "get")}  # answered in the server's loop


def test_the_description_is_openapi_with_no_loose_ends(api: Api) -> None:
    document = api.get("/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    schemas = document["components"]["schemas"]
    references = set(_references(document))
    assert references == {f"#/components/schemas/{name}" for name in schemas}
    readyz = document["paths"]["/readyz"]["get"]
    assert {"200", "400", "401", "403", "429", "503"} <= readyz["responses"].keys()
    assert document["paths"]["/healthz"]["get"]["security"] == []
    names = [one["operationId"] for path in document["paths"].values() for one in path.values()]
    assert len(names) == len(set(names))


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def test_the_dashboard_for_grafana_asks_for_metrics_and_labels_that_there_are(api: Api) -> None:
    document = json.loads((ROOT / "docs" / "grafana.json").read_text(encoding="utf-8"))
    labels: dict[str, set[str]] = {}
    for name, pairs in samples(api):
        labels.setdefault(name, {"instance"}).update(label for label, _ in pairs)
    families = text_string_to_metric_families(api.get("/metrics").body.decode())
    unused = {f"{one.name}_total" for one in families if one.type == "counter" and not one.samples}
    targets = [target for panel in document["panels"] for target in panel["targets"]]
    asked = [(target["expr"], target["legendFormat"]) for target in targets]
    asked += [
        (one["query"], "") for one in document["templating"]["list"] if one["type"] == "query"
    ]
    for expression, legend in asked:
        names = re.findall(r"\b(?:bundlevisor|process)_\w+", expression)
        assert names
        for name in names:
            assert name in labels or name in unused
            wanted = {*re.findall(r"(\w+)=", expression), *re.findall(r"{{(\w+)}}", legend)}
            assert name in unused or wanted <= labels[name], (expression, legend)
