from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bundlevisor import __version__
from bundlevisor.actors.core.snapshot import Phase
from bundlevisor.control.wire.bodies import Problem, Validation
from bundlevisor.control.wire.bounds import MOST_LINES
from tests.control.fake_runtime import FakeRuntime, view
from tests.control.wire import Api


def test_healthz_needs_no_token_and_names_the_runtime(api: Api) -> None:
    reply = api.get("/healthz", token=None)
    assert reply.status == 200
    assert reply.json() == {"status": "ok", "services": 3, "runtime": f"bundlevisor {__version__}"}


def test_healthz_is_503_while_stopping(api: Api, runtime: FakeRuntime) -> None:
    runtime.set_phase(Phase.STOPPING)
    reply = api.get("/healthz", token=None)
    assert (reply.status, reply.json()["status"]) == (503, "stopping")


def test_healthz_answers_head_with_the_same_headers_and_no_body(api: Api) -> None:
    asked, head = api.get("/healthz", token=None), api.ask("HEAD", "/healthz", token=None)
    assert (head.status, head.body) == (200, b"")
    for name in ("Content-Type", "Content-Length", "Cache-Control"):
        assert head.headers[name] == asked.headers[name]


def test_ports_name_those_in_force_and_the_api(api: Api) -> None:
    ports = api.get("/ports").json()
    in_force = {row["id"]: row["ports"] for row in rows(api) if "ports" in row}
    assert in_force.keys() == {"db", "web.api-1"}
    assert in_force["db"].keys() == {"sql"}
    web = in_force["web.api-1"]["http"]
    assert ports == {"services": in_force, "apiBase": f"http://127.0.0.1:{web}"}


def rows(api: Api) -> Any:
    return api.get("/status").json()["services"]


def test_logs_tail_replaces_bytes_that_are_not_utf8(api: Api, runtime: FakeRuntime) -> None:
    runtime.logs.content["db"] = b"one\ntwo \xff\xc3\xa9\nthree\n"
    reply = api.get("/logs/tail?serviceId=db&lines=2")
    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert reply.body.decode() == "two \ufffdé\nthree\n"


@pytest.mark.parametrize(
    ("address", "reads"),
    [
        ("/logs/tail?serviceId=db", "tail"),
        ("/logs/lines?services=db", "lines"),
        ("/logs/lines?services=db&previous=1", "previous_lines"),
    ],
)
def test_a_log_that_cannot_be_read_is_named(
    api: Api, runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch, address: str, reads: str
) -> None:
    def refused(*_: object) -> bytes:
        raise PermissionError(13, "Permission denied", "/data/logs/db.log")

    monkeypatch.setattr(runtime.logs, reads, refused, raising=False)
    reply = api.get(address)
    assert (reply.status, reply.json()["code"]) == (500, "log_unreadable")
    assert "service 'db'" in reply.json()["error"]
    assert "/data/logs/db.log: Permission denied" in reply.json()["error"]


def test_logs_tail_takes_200_lines_unless_told(api: Api, runtime: FakeRuntime) -> None:
    assert api.get("/logs/tail?serviceId=db").body == b""
    api.get("/logs/tail?serviceId=db&lines=10000")
    assert runtime.logs.asked == [("db", 200), ("db", 10000)]


@pytest.mark.parametrize(
    ("lines", "asked"), [("0", 1), ("-5", 1), ("10001", 10000), ("9" * 5000, 10000)]
)
def test_so_few_or_many_lines_are_taken_as_the_nearest_number_there_is(
    api: Api, runtime: FakeRuntime, lines: str, asked: int
) -> None:
    assert api.get(f"/logs/tail?serviceId=db&lines={lines}").status == 200
    assert runtime.logs.asked == [("db", asked)]


def test_of_many_services_so_many_lines_are_looked_at_as_can_be_told_at_once(
    api: Api, runtime: FakeRuntime
) -> None:
    runtime.publish(*(view(f"s{number}") for number in range(97)))
    assert api.get("/logs/lines?lines=10000").status == 200
    assert len(runtime.logs.asked) == 100
    assert {lines for _, lines in runtime.logs.asked} == {MOST_LINES // 100}


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        (
            "/readyz?wiat=5",
            "/readyz has no parameter 'wiat' (did you mean 'wait'?); it takes 'wait'",
        ),
        ("/readyz?wait=0&strict=1&x=1", "/readyz has no parameter 'x'; it takes 'wait', '"),
        ("/ports?x", "/ports has no parameter 'x'; it takes none"),
        ("/healthz?wait=1", "/healthz has no parameter 'wait'; it takes none"),
        ("/services/db/stop?wiat=5", "/services/db/stop has no parameter 'wiat' (did you mean"),
        ("/logs/tail?serviceId=db&after=5", "/logs/tail has no parameter 'after'; it takes 'serv"),
    ],
)
def test_a_parameter_that_is_not_known_is_400_with_the_near_match(
    api: Api, runtime: FakeRuntime, path: str, sentence: str
) -> None:
    reply = api.ask("POST" if "stop" in path else "GET", path)
    assert reply.refusal == (400, "unknown_parameter")
    assert reply.json()["error"].startswith(sentence)
    assert runtime.commands == []


@pytest.mark.parametrize(
    "path", ["/logs/lines?services=db&services=api", "/readyz?wait=0&wait=0", "/ports?x&x"]
)
def test_a_parameter_that_is_given_twice_is_refused(api: Api, path: str) -> None:
    assert api.get(path).status == 400


@pytest.mark.parametrize("path", ["/readyz?strict=", "/timeline?earlier=2", "/readyz?strict=yes"])
def test_what_says_neither_yes_nor_no_is_refused(api: Api, path: str) -> None:
    assert api.get(path).status == 400


@pytest.mark.parametrize("word", ["T", "trUE", "1", "f", "False", "0"])
def test_a_yes_and_a_no_are_the_words_of_the_command_line(api: Api, word: str) -> None:
    assert api.get(f"/timeline?earlier={word}").status == 200


@pytest.mark.parametrize(
    ("query", "refusal"),
    [
        ("", (400, "missing_service_id")),
        ("?serviceId=", (400, "missing_service_id")),
        ("?serviceId=nobody", (404, "unknown_service")),
        ("?serviceId=db&lines=", (400, "bad_lines")),
        ("?serviceId=db&lines=ten", (400, "bad_lines")),
        ("?serviceId=db&lines=%D9%A3", (400, "bad_lines")),
        ("?serviceId=db&lines=1e3", (400, "bad_lines")),
        ("?serviceId=db&lines=-", (400, "bad_lines")),
        ("?serviceId=db&line=5", (400, "unknown_parameter")),
    ],
)
def test_logs_tail_refuses_what_it_cannot_answer(
    api: Api, query: str, refusal: tuple[int, str]
) -> None:
    assert api.get(f"/logs/tail{query}").refusal == refusal


def test_shutdown_is_accepted_as_often_as_it_is_asked_for(api: Api, runtime: FakeRuntime) -> None:
    for _ in range(2):
        reply = api.post("/shutdown")
        assert (reply.status, reply.json()) == (202, {"status": "stopping"})
    assert runtime.shutdowns == ["api", "api"]
    reply = api.ask("POST", "/shutdown", body="any=thing", Content_Type="text/plain")
    assert reply.status == 202


def test_shutdown_by_get_stops_as_post_does_and_head_does_nothing(
    api: Api, runtime: FakeRuntime
) -> None:
    assert api.ask("HEAD", "/shutdown").status == 405
    assert api.get("/shutdown", token=None).status == 401
    assert runtime.shutdowns == []
    reply = api.get("/shutdown")
    assert (reply.status, reply.json()) == (202, {"status": "stopping"})
    assert runtime.shutdowns == ["api"]


def test_validate_answers_200_for_a_bundle_with_problems(api: Api, runtime: FakeRuntime) -> None:
    assert api.get("/validate").json() == {"valid": True}
    problem = Problem(code="binary_missing", service="db", message="binary not found: bin/db")
    runtime.report = Validation(valid=False, errors=(problem,))
    reply = api.get("/validate")
    assert reply.status == 200
    assert reply.json() == {
        "valid": False,
        "errors": [
            {"code": "binary_missing", "service": "db", "message": "binary not found: bin/db"}
        ],
    }


def test_telemetry_names_the_file_and_the_address(api: Api) -> None:
    data = api.get("/status").json()["app_data_dir"]
    told = api.get("/telemetry").json()
    assert Path(told.pop("path")) == Path(data, "telemetry", "events.jsonl")
    assert told == {"upload_url": "https://example.org/up"}


def test_status_shows_the_instance(api: Api, runtime: FakeRuntime) -> None:
    status = api.get("/status").json()
    services = status.pop("services")
    assert status.pop("uptime_s") > 0
    assert status == {
        "instance_id": "instance-1",
        "started_at": "2023-11-14T22:13:20.125Z",
        "app_data_dir": "/data",
        "bundle_root": "/bundle",
        "dry_run": False,
        "manifest_hash": "ab" * 32,
        "manifest_schema": "v0.1",
        "target": "desktop",
        "app_name": "Notes",
        "app_version": "1.2.3",
        "ipc_host": "127.0.0.1",
        "ipc_port": 47710,
        "runtime_version": "0.1.0",
        "build_version": "0.1.0+test",
        "pid": 4711,
        "swaps": [{"original": "postgres", "replacement": "sqlite", "reason": "no server"}],
    }
    told = [(one.pop("id"), one.pop("dependencies", [])) for one in services]
    assert told == [("db", []), ("web.api-1", ["db"]), ("extra", [])]
    assert services[1] == {
        "state": "ready",
        "cpu_percent": 0.0,
        "rss_bytes": 0,
        "restarts": 0,
        "uptime_s": 0.0,
        "message": "ready",
        "ports": {"http": 47002},
        "ready_after_s": 1.5,
    }


def test_commands_are_refused_while_stopping_and_reading_is_not(
    api: Api, runtime: FakeRuntime
) -> None:
    runtime.set_phase(Phase.STOPPING)
    assert api.post("/services/db/start").refusal == (503, "stopping")
    assert api.post("/secrets", {"secrets": {"session": "x"}}).refusal == (503, "stopping")
    assert api.get("/readyz").json()["ready"] is False
    assert api.get("/ports").status == 200
    assert runtime.commands == []


def test_an_unexpected_exception_shows_nothing_and_is_logged(
    api: Api, runtime: FakeRuntime
) -> None:
    runtime.command_error = RuntimeError("expected: /secret/path")
    reply = api.post("/services/db/start")
    assert reply.refusal == (500, "internal_error")
    assert b"secret" not in reply.body
    assert b"RuntimeError" not in reply.body
    assert [(what, str(error)) for what, error in runtime.faults] == [
        ("POST /services/db/start", "expected: /secret/path")
    ]


@pytest.mark.parametrize(
    ("method", "path", "refusal", "allow"),
    [
        ("GET", "/nothing", (404, "not_found"), None),
        ("POST", "/healthz", (405, "method_not_allowed"), "GET"),
        ("DELETE", "/readyz", (405, "method_not_allowed"), "GET"),
        ("PUT", "/secrets", (405, "method_not_allowed"), "POST"),
        ("GET", "/services/db/start", (405, "method_not_allowed"), "POST"),
        ("POST", "/services/db/explode", (404, "not_found"), None),
        ("GET", "/healthz/", (401, "unauthorized"), None),
    ],
)
def test_errors_are_json_with_a_code(
    api: Api, method: str, path: str, refusal: tuple[int, str], allow: str | None
) -> None:
    token = None if path == "/healthz/" else "default"
    reply = api.ask(method, path) if token else api.ask(method, path, token=None)
    assert reply.refusal == refusal
    assert (reply.headers["Allow"] is None) is (allow is None)
    assert allow is None or allow in reply.headers["Allow"]


@pytest.mark.parametrize(
    "path",
    [
        "/healthz",
        "/readyz",
        "/nothing",
        "/logs/tail?serviceId=db",
        pytest.param("/shutdown", marks=pytest.mark.ends_the_runtime),
        "/metrics",
    ],
)
def test_every_answer_forbids_caching_and_sniffing(api: Api, path: str) -> None:
    reply = api.get(path)
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    names = {name.lower() for name in reply.headers}
    assert not names & {"set-cookie", "access-control-allow-origin", "server"}
