"""A ui-bundle as a service of a running bundle: what is served, where its API is, how it lives."""

from __future__ import annotations

import contextlib
import http.client
import os
import selectors
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from bundlevisor.testing.client import Answer as Reply
from tests.bundle_maker import Bundle, Run, bundle, running, wait_until
from tests.live_runtime import KILL

INDEX = "<!doctype html><title>the page</title>"


def page(made: Bundle, service_id: str = "ui", **fields: Any) -> Bundle:
    """Add a ui-bundle that serves the folder ``dist``, or what ``fields`` say."""
    made.file("dist/index.html", INDEX)
    defaults: dict[str, Any] = {
        "type": "ui-bundle",
        "binaries": {"universal": {"path": "dist"}},
        "health": {"type": "http", "path": "/", "interval_ms": 50},
        "readiness": {"type": "health_success"},
    }
    return made.service(service_id, **(defaults | fields))


def ask(
    run: Run, path: str = "/", headers: Mapping[str, str] | None = None, *, service: str = "ui"
) -> Reply:
    connection = http.client.HTTPConnection("127.0.0.1", run.ports(service)["http"], timeout=20)
    with contextlib.closing(connection):
        connection.request("GET", path, headers=dict(headers or {}))
        response = connection.getresponse()
        return Reply(response.status, response.headers, response.read())


SERVED: dict[str, dict[str, Any]] = {
    "folder": {"binaries": {"universal": {"path": "dist"}}},
    "html-file": {"binaries": {"universal": {"path": "dist\\index.html"}}},
    "first-asset": {
        "binaries": None,
        "assets": [{"path": "dist/index.html"}, {"path": "other/x.txt"}],
    },
    "folder-as-asset": {"binaries": None, "assets": [{"path": "dist"}]},
    "empty-binaries": {"binaries": {}, "assets": [{"path": "dist/index.html"}]},
}


def test_what_is_no_program_is_served(tmp_path: Path) -> None:
    made = bundle(tmp_path).file("other/x.txt", "x")
    for id_, fields in SERVED.items():
        page(made, id_, **fields)
    with running(made.write()) as run:
        run.until_ready()
        texts = {id_: ask(run, "/route", service=id_).text for id_ in SERVED}
        assert texts == dict.fromkeys(SERVED, INDEX)


def test_an_executable_file_is_run_like_any_other(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("ui", type="ui-bundle").write()
    with running(made) as run:
        run.until_ready()
        assert made.events("ui", "listening"), "the program itself listens"


def test_a_page_with_nothing_to_serve_fails_alone_and_says_why(tmp_path: Path) -> None:
    made = page(bundle(tmp_path), binaries=None).service("other").write()
    with running(made) as run:
        details = run.ready()["details"]
        assert details["ui"]["state"] == "failed"
        assert details["ui"]["message"]
        run.until_service_ready("other")


def test_metadata_sets_the_policy_and_a_bad_one_fails_only_the_page(tmp_path: Path) -> None:
    policy = "default-src 'self'"
    made = page(bundle(tmp_path), metadata={"content_security_policy": policy}).write()
    with running(made) as run:
        run.until_ready()
        sent = ask(run).headers["Content-Security-Policy"]
        assert sent == f"{policy}; frame-ancestors 'self'"
    page(made, metadata={"content_security_policy": 5}).service("other").write()
    with running(made) as run:
        details = run.ready()["details"]
        assert details["ui"]["state"] == "failed"
        assert "content_security_policy" in details["ui"]["message"]
        run.until_service_ready("other")


def is_served(run: Run) -> bool:
    """Whether the page is there; who is turned away, or met by its end, asks again."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        return ask(run).text == INDEX
    return False


def is_refused(run: Run, stranger: socket.socket) -> bool:
    """Whether the page asks nobody; who is asked a moment before it knows hangs up."""
    answers: list[int] = []
    asking = threading.Thread(target=lambda: answers.append(ask(run, "/api/x").status))
    asking.start()
    asked = False
    while asking.is_alive():
        asking.join(0.01)
        with contextlib.suppress(BlockingIOError):
            stranger.accept()[0].close()
            asked = True
    return answers == [502] and not asked


def test_an_api_that_has_failed_is_not_asked_on_a_port_that_is_somebody_elses_by_now(
    tmp_path: Path,
) -> None:
    made = bundle(tmp_path).service("api", ports=["api"], restart={"policy": "never"})
    with running(page(made, deps=["api"]).write()) as run:
        run.until_ready()
        assert ask(run, "/api/x").status != 502
        os.kill(run.service("api")["pid"], signal.SIGTERM)
        wait_until(
            lambda: run.service("api")["state"] in ("failed", "stopped"), what="the API is gone"
        )
        with socket.create_server(("127.0.0.1", run.ports("api")["api"])) as stranger:
            stranger.setblocking(False)
            wait_until(partial(is_refused, run, stranger), what="the page knows")
            ask(run, "/api/x", {"Cookie": "secret"})
            with pytest.raises(BlockingIOError):
                stranger.accept()
        run.post("/services/api/start?wait=20")
        wait_until(lambda: ask(run, "/api/x").status != 502, what="the page knows of the new API")


def test_a_page_that_is_started_while_its_api_does_not_run_asks_nobody(tmp_path: Path) -> None:
    """It need not depend on it: then it is the bundle's only service with a port named so."""
    made = page(bundle(tmp_path).service("api", ports=["api"])).write()
    with running(made) as run:
        run.until_ready()
        run.post("/services/api/stop?wait=20")
        with socket.create_server(("127.0.0.1", run.ports("api")["api"])) as stranger:
            stranger.setblocking(False)
            run.post("/services/ui/restart?wait=20")
            assert is_refused(run, stranger)
        run.post("/services/api/start?wait=20")
        wait_until(lambda: ask(run, "/api/x").status != 502, what="the page knows of the new API")
        run.post("/services/ui/restart?wait=20")
        wait_until(lambda: ask(run, "/api/x").status != 502, what="so does its next process")


def replaced(run: Run, before: int) -> bool:
    now = run.service("ui")
    return bool(now["state"] == "ready" and now["pid"] != before)


def test_a_page_that_hangs_or_crashes_is_restarted_and_nobody_else_notices(tmp_path: Path) -> None:
    soon = {"type": "http", "path": "/", "interval_ms": 50, "timeout_ms": 2000, "retries": 2}
    made = page(bundle(tmp_path).service("other"), health=soon).write()
    with running(made) as run:
        run.until_ready()
        other = run.service("other")["pid"]
        numbers = [KILL] if sys.platform == "win32" else [signal.SIGSEGV, signal.SIGSTOP]
        for number in numbers:
            before = run.service("ui")["pid"]
            os.kill(before, number)
            assert run.get("/healthz", token=None).status == 200
            wait_until(partial(replaced, run, before), what="another process serves the page")
            assert not psutil.pid_exists(before)
            wait_until(partial(is_served, run), what="the page of the new process")
        assert run.service("other")["pid"] == other
        assert run.service("other")["restarts"] == 0


COUNTS_CHECKS = """
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Well(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(204)  # and a line in the log
        self.end_headers()
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT_API"])), Well).serve_forever()
"""


def checks(run: Run) -> int:
    """Return how many health checks of the page have come through to its API."""
    return run.log("api").count("GET /api/well ")


class Flood:
    """Clients that keep a connection for as long as they may, ask for nothing, and come again."""

    HELD = 300

    def __init__(self, port: int) -> None:
        self.refused = 0
        self._port = port
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._come)

    def __enter__(self) -> Flood:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _come(self) -> None:
        with selectors.DefaultSelector() as held, contextlib.ExitStack() as clients:
            while not self._over.is_set():
                while len(held.get_map()) < self.HELD:
                    held.register(clients.enter_context(self._client()), selectors.EVENT_READ)
                for key, _ in held.select(0.1):
                    client = key.fileobj
                    assert isinstance(client, socket.socket)
                    held.unregister(client)
                    self._go(client)

    def _client(self) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self._port), timeout=20)
        with contextlib.suppress(ConnectionError):  # it may have been turned away by now
            client.sendall(b"GET / HTTP/1.1\r\nHost: loc")
        return client

    def _go(self, client: socket.socket) -> None:
        with contextlib.closing(client), contextlib.suppress(OSError):
            self.refused += client.recv(100).startswith(b"HTTP/1.1 503")


def test_a_flood_of_connections_does_not_have_the_page_started_anew(tmp_path: Path) -> None:
    """The health check is answered although the flood alone is far over the limit."""
    made = (
        bundle(tmp_path)
        .script("bin/api", COUNTS_CHECKS)
        .service("api", "bin/api", ports=["api"], health=None, readiness={"type": "port_open"})
    )
    well = {"type": "http", "path": "/api/well", "interval_ms": 20, "retries": 1}
    patient = {**well, "timeout_ms": 60_000}  # what is refused is so at once, however slow all is
    page(made, deps=["api"], health=patient, metadata={"max_connections": 10}).write()
    with running(made) as run:
        run.until_ready()
        before = run.service("ui")
        with Flood(run.ports("ui")["http"]) as flood:
            wait_until(lambda: flood.refused > 100, 30, "the flood is over the limit")
            seen = checks(run)
            wait_until(lambda: checks(run) >= seen + 10, 30, "health checks in the flood")
            after = run.service("ui")
        assert (after["pid"], after["restarts"]) == (before["pid"], 0)
        wait_until(partial(is_served, run), what="the page after the flood")


def test_a_page_that_stands_still_does_not_hold_up_the_end(tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("nothing stands still there")
    stop = {"timeout_ms": 300}
    made = page(
        bundle(tmp_path).service("other"),
        health=None,
        stop=stop,
        readiness={"type": "port_open", "port_name": "http"},
    ).write()
    with running(made) as run:
        run.until_ready()
        pid = run.service("ui")["pid"]
        os.kill(pid, signal.SIGSTOP)
        run.kill(signal.SIGTERM)
        assert run.wait_gone() == 0
        assert not psutil.pid_exists(pid)


def test_services_that_do_not_depend_on_a_page_do_not_wait_for_it(tmp_path: Path) -> None:
    never = {"type": "http", "path": "/missing.js", "interval_ms": 50}
    made = page(bundle(tmp_path), health=never).service("other").service("after", deps=["other"])
    with running(made.write()) as run:
        wait_until(lambda: run.service("after")["state"] == "ready", what="the others are ready")
        assert run.service("ui")["state"] == "starting"


def test_a_page_is_checked_by_a_command_with_the_environment_of_a_service(tmp_path: Path) -> None:
    health = {"type": "command", "command": ["checks-page"]}
    made = page(bundle(tmp_path), health=health)
    made.script("bin/checks-page", 'import os, sys; sys.exit("PORT_HTTP" not in os.environ)')
    with running(made.write()) as run:
        run.until_ready()
