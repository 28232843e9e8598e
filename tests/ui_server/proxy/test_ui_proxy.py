"""The way to the API, with a real one behind."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import itertools
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ui_server.proxy.conftest import MIB, Raw
from tests.ui_server.raw_api import RawApi


def test_a_request_reaches_the_api_as_it_was_sent(ui: Any, api: Any) -> None:
    headers = {"X-One": "1", "Cookie": "a=b; c=d", "Authorization": "Bearer x", "Accept": "a/b"}
    target = "/api/notes/%41%2f..%20?q=a%20b&c=%C3%A9&d=+;x"
    seen = ui.ask(target, method="PUT", headers=headers, body=b"content").json
    assert (seen["method"], seen["target"], seen["body"]) == ("PUT", target, "content")
    arrived = dict(seen["headers"])
    for name, value in headers.items():
        assert arrived[name] == value
    assert arrived["Content-Length"] == "7"
    assert "User-Agent" not in arrived
    assert "Accept-Encoding" not in arrived


@pytest.mark.parametrize(
    "target", ["/api", "/api/", "/api//x/../y", "/%61pi/x", "/ws/plain", "/api/?"]
)
def test_the_path_is_kept_as_it_is(ui: Any, target: str) -> None:
    assert ui.ask(target).json["target"].rstrip("?") == target.rstrip("?")


def test_the_api_comes_before_a_file_of_the_same_path(ui: Any) -> None:
    assert ui.ask("/api/shadow.txt").json["target"] == "/api/shadow.txt"


def test_the_api_learns_who_asked_for_what(ui: Any) -> None:
    arrived = dict(ui.ask("/api/x").json["headers"])
    assert arrived["Host"] == f"127.0.0.1:{ui.port}"
    assert arrived["X-Forwarded-For"] == "127.0.0.1"
    assert arrived["X-Forwarded-Host"] == f"127.0.0.1:{ui.port}"
    assert arrived["X-Forwarded-Proto"] == "http"


def test_headers_of_the_clients_connection_do_not_reach_the_api(ui: Any) -> None:
    headers = {
        "Connection": "close, X-Private",
        "X-Private": "1",
        "Keep-Alive": "5",
        "TE": "trailers",
        "Proxy-Authorization": "Basic x",
        "Upgrade": "h2c",
    }
    names = {name.lower() for name, _ in ui.ask("/api/x", headers=headers).json["headers"]}
    assert not names & {name.lower() for name in headers} - {"connection"}


def test_headers_of_the_apis_connection_do_not_reach_the_client(ui: Any) -> None:
    answer = ui.ask("/api/private")
    assert answer.header("X-Secret") is None
    assert answer.header("X-Public") == "2"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
def test_every_method_is_passed_on(ui: Any, method: str) -> None:
    assert ui.ask("/api/x", method=method).json["method"] == method


@pytest.mark.parametrize("method", ["TRACE"])
def test_a_method_that_is_about_the_connection_is_not(ui: Any, method: str) -> None:
    assert ui.ask("/api/x", method=method).status == 405


def test_head_is_head(ui: Any) -> None:
    answer = ui.ask("/api/gzip", method="HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.header("Content-Length")) > 0


@pytest.mark.parametrize("code", [200, 201, 204, 304, 400, 401, 404, 418, 500, 503])
def test_every_status_is_passed_on(ui: Any, code: int) -> None:
    assert ui.ask(f"/api/status/{code}").status == code


def test_a_redirect_is_the_clients_to_follow(ui: Any) -> None:
    answer = ui.ask("/api/moved")
    assert (answer.status, answer.header("Location")) == (302, "http://127.0.0.1:1/elsewhere")


def test_cookies_are_passed_on_one_by_one_and_not_kept(ui: Any) -> None:
    answer = ui.ask("/api/cookies")
    assert answer.all("Set-Cookie") == ["a=1; Path=/; HttpOnly", "b=2; SameSite=Strict"]
    assert "Cookie" not in dict(ui.ask("/api/x").json["headers"])


def test_a_compressed_answer_stays_compressed(ui: Any) -> None:
    answer = ui.ask("/api/gzip", headers={"Accept-Encoding": "gzip"})
    assert answer.header("Content-Encoding") == "gzip"
    assert gzip.decompress(answer.body) == b"compressed by the API"


def test_a_compressed_request_stays_compressed(ui: Any) -> None:
    body = gzip.compress(b"x" * 1000, mtime=0)
    answer = ui.ask("/api/digest", method="POST", body=body, headers={"Content-Encoding": "gzip"})
    assert answer.json == {"size": len(body), "sha256": hashlib.sha256(body).hexdigest()}


@pytest.mark.parametrize("chunked", [False, True])
def test_a_big_upload_arrives_whole(ui: Any, chunked: bool) -> None:
    body = os.urandom(8 * MIB)
    sent = itertools.chain([body[:1]], [body[1:MIB]], [body[MIB:]]) if chunked else body
    answer = ui.ask("/api/digest", method="POST", body=sent, chunked=chunked)
    assert answer.json == {"size": len(body), "sha256": hashlib.sha256(body).hexdigest()}


def test_a_big_download_arrives_whole(ui: Any) -> None:
    answer = ui.ask("/api/download?mib=20")
    assert answer.body == b"".join(bytes([n]) * MIB for n in range(20))


def resident(pid: int) -> int:
    import psutil

    return int(psutil.Process(pid).memory_info().rss)


def test_a_slow_reader_holds_the_api_back_instead_of_filling_memory(ui: Any) -> None:
    assert ui.ask("/api/hello").status  # it is up, with all that it imports
    before = resident(ui.process.pid)
    with ui.connect() as client:
        client.sendall(b"GET /api/download?mib=400 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        received = len(client.recv(65536))
        settled, stable = -1, 0
        while stable < 20:
            now = resident(ui.process.pid)
            stable = stable + 1 if now == settled else 0
            settled = now
            time.sleep(0.02)
        assert settled - before < 30 * MIB
        while received < 400 * MIB:
            received += len(client.recv(MIB))
    assert resident(ui.process.pid) - before < 30 * MIB


def test_a_slow_api_holds_the_sender_back_instead_of_filling_memory(
    serving: Any, root: Path, raw: Callable[..., Raw]
) -> None:
    ui = serving(root, upstream=raw(b"", hang=True).port)
    assert ui.ask("/").status == 200
    before = resident(ui.process.pid)
    with ui.connect() as client:
        client.sendall(
            b"POST /api/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 400000000\r\n\r\n"
        )
        client.settimeout(1)
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 400_000_000:
                sent += client.send(bytes(MIB))
    assert sent < 100 * MIB
    assert resident(ui.process.pid) - before < 30 * MIB


def test_events_arrive_one_by_one(ui: Any, until: Any) -> None:
    with ui.connect() as client:
        client.sendall(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        head = client.recv(65536)
        assert b"text/event-stream" in head, "the head comes before the first event"
        for text in ("one", "two"):
            until(
                lambda text=text: ui.ask(f"/api/tick?text={text}").json["listeners"], "a listener"
            )
            received = b""
            while f"data: {text}\n\n".encode() not in received:
                received += client.recv(65536)


def test_a_client_that_goes_away_ends_its_request_at_the_api(ui: Any, api: Any, until: Any) -> None:
    with ui.connect() as client:
        client.sendall(b"GET /api/hang?as=waiting HTTP/1.1\r\nHost: localhost\r\n\r\n")
        until(lambda: "waiting began" in api.who_left(), "the API has the request")
    until(lambda: "waiting" in api.who_left(), "the API notices that the waiting client left")
    with ui.connect() as client:
        client.sendall(b"GET /api/download?mib=2000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        client.recv(1024)
    until(lambda: "download" in api.who_left(), "the API notices that the reader left")


def test_a_request_that_wants_to_be_told_continues_when_it_is_read(ui: Any) -> None:
    with ui.connect() as client:
        client.sendall(
            b"POST /api/digest HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n"
            b"Expect: 100-continue\r\nConnection: close\r\n\r\n"
        )
        assert client.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"body")
        answer = b""
        while piece := client.recv(65536):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 200")
    assert b'"size": 4' in answer


def test_an_answer_before_the_end_of_the_request_arrives(ui: Any) -> None:
    with ui.connect() as client:
        client.sendall(
            b"POST /api/refuse HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n"
        )
        client.sendall(bytes(MIB))
        answer = client.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413")


def test_a_body_comes_along_though_the_client_offers_another_protocol(ui: Any) -> None:
    headers = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AA"}
    seen = ui.ask("/api/x", method="POST", headers=headers, body=b"content").json
    assert seen["body"] == "content"
    assert "Upgrade" not in dict(seen["headers"])


class Keeping(RawApi):
    """An API that answers every request of a connection, and counts both."""

    def __init__(self, answer: bytes) -> None:
        self.connections = self.requests = 0
        self._answer = answer
        super().__init__()

    def serve(self, client: socket.socket) -> None:
        """Answer what comes."""
        self.connections += 1
        while client.recv(65536):
            self.requests += 1
            client.sendall(self._answer)


@pytest.mark.parametrize(
    ("method", "answer", "connections"),
    [
        ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 1),
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", 1),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n", 1),
        ("GET", b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 4),
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 4),
        ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok too much", 4),
        ("POST", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 4),
    ],
)
def test_a_connection_to_the_api_is_used_again_when_its_answer_has_ended_as_it_should(
    serving: Any, root: Path, method: str, answer: bytes, connections: int
) -> None:
    upstream = Keeping(answer)
    ui = serving(root, upstream=upstream.port)
    statuses = {ui.ask("/api/x", method=method, body=None).status for _ in range(4)}
    upstream.close()
    assert statuses <= {200, 304}
    assert (upstream.requests, upstream.connections) == (4, connections)


def test_header_values_are_passed_on_byte_by_byte(
    serving: Any, root: Path, raw: Callable[..., Raw]
) -> None:
    upstream = raw(
        b"HTTP/1.1 200 OK\r\nX-Utf8: caf\xc3\xa9\r\nX-Latin: caf\xe9\r\nContent-Length: 0\r\n\r\n"
    )
    ui = serving(root, upstream=upstream.port)
    answer = ui.raw(
        b"GET /api/x HTTP/1.1\r\nHost: localhost\r\nX-Mine: caf\xe9\r\nConnection: close\r\n\r\n"
    )
    assert b"X-Utf8: caf\xc3\xa9\r\n" in answer
    assert b"X-Latin: caf\xe9\r\n" in answer
    assert b"X-Mine: caf\xe9\r\n" in upstream.requests[0]
