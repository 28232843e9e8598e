"""An API that is away, silent, breaks off or answers nonsense."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ui_server.proxy.conftest import MIB, PAGE, Raw


def test_without_an_api_there_is_a_readable_502(serving: Any, root: Path) -> None:
    ui = serving(root)
    answer = ui.ask("/api/notes")
    assert (answer.status, answer.json["code"]) == (502, "api_unavailable")
    page = ui.ask("/api/notes", headers=PAGE)
    assert page.status == 502
    assert page.header("Content-Type") == "text/html; charset=utf-8"
    assert b"API is not running" in page.body
    assert page.header("Cache-Control") == "no-store"
    assert (page.header("Refresh"), page.header("Retry-After")) == ("1", "1")
    posted = ui.ask("/api/notes", method="POST", headers=PAGE, body=b"")
    assert (posted.status, posted.header("Refresh")) == (502, None), "it must not become a GET"
    assert ui.ask("/", headers=PAGE).status == 200, "files are served all the same"


def test_a_refused_connection_is_a_502(serving: Any, root: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        ui = serving(root, upstream=taken.getsockname()[1])
        assert ui.ask("/api/x").status == 502
        assert ui.ask("/api/x", method="POST", body=b"x" * MIB).status == 502


def test_an_event_source_hears_nothing_so_that_it_tries_again(
    serving: Any, root: Path, own_api: Any
) -> None:
    ui = serving(root, upstream=own_api.port)
    asked = b"%b /api/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"
    own_api.kill()
    assert ui.raw(asked % b"GET") == b""
    assert ui.ask("/api/x", method="POST", headers={"Accept": "text/event-stream"}).status == 502
    ui.process.set_upstream(None)
    assert ui.raw(asked % b"GET") == b""


def test_the_api_may_come_back_on_another_port(
    serving: Any, root: Path, own_api: Any, until: Any
) -> None:
    ui = serving(root, upstream=own_api.port)
    assert ui.ask("/api/x").status == 200
    own_api.kill()
    assert ui.ask("/api/x").status == 502
    ui.process.set_upstream(None)
    before = own_api.port
    assert own_api.start() != before
    ui.process.set_upstream(own_api.port)
    until(lambda: ui.ask("/api/x").status == 200, "the new port is used")


def test_an_api_that_restarts_on_its_port_is_not_asked_on_a_dead_connection(
    serving: Any, root: Path, own_api: Any
) -> None:
    ui = serving(root, upstream=own_api.port)
    for method in ("GET", "POST"):
        assert ui.ask("/api/x", method=method, body=b"").status == 200
        own_api.kill()
        own_api.start(own_api.port)
        assert ui.ask("/api/x", method=method, body=b"").status == 200


def test_what_changes_something_is_never_sent_twice(
    serving: Any, root: Path, raw: Callable[..., Raw]
) -> None:
    upstream = raw(b"", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    ui = serving(root, upstream=upstream.port)
    assert ui.ask("/api/x", method="POST", body=b"once").status == 502
    assert len(upstream.requests) == 1


def test_an_api_that_does_not_answer_is_a_504(
    serving: Any, root: Path, raw: Callable[..., Raw]
) -> None:
    ui = serving(root, upstream=raw(b"", b"", hang=True).port, response_timeout_ms=200)
    answer = ui.ask("/api/x")
    assert (answer.status, answer.json["code"]) == (504, "api_timeout")
    page = ui.ask("/api/x", headers=PAGE)
    assert (page.status, page.header("Content-Type")) == (504, "text/html; charset=utf-8")


def test_an_event_source_waits_for_its_first_event_however_long(
    serving: Any, root: Path, raw: Callable[..., Raw], until: Any
) -> None:
    """Node sends no head before that, and any status but 200 ends an EventSource for good."""
    api = raw(b"", hang=True)
    ui = serving(root, upstream=api.port, response_timeout_ms=200)
    with ui.connect() as source:
        head = b"GET /api/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"
        source.sendall(head)
        until(lambda: api.requests, "the API is asked for events")
        assert ui.ask("/api/x").status == 504, "who asked later is given up"
        api.say(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: x\n\n")
        assert source.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_a_long_upload_is_not_a_silent_api(ui: Any, serving: Any, root: Path, api: Any) -> None:
    patient = serving(root, upstream=api.port, response_timeout_ms=2_000)

    def slowly() -> Iterator[bytes]:
        for _ in range(16):  # in all longer than the API may be silent
            time.sleep(0.15)
            yield b"x"

    answer = patient.ask("/api/digest", method="POST", body=slowly(), chunked=True)
    assert (answer.status, answer.json["size"]) == (200, 16)


def test_a_body_that_never_comes_is_the_clients_fault(serving: Any, root: Path, api: Any) -> None:
    ui = serving(root, upstream=api.port, response_timeout_ms=300)
    answer = ui.raw(b"POST /api/digest HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nab")
    assert answer.startswith(b"HTTP/1.1 408")


def test_an_answer_that_breaks_off_is_cut_off_and_not_ended(
    serving: Any, root: Path, raw: Callable[..., Raw]
) -> None:
    head = b"HTTP/1.1 200 OK\r\n"
    ui = serving(
        root,
        upstream=raw(
            head + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            head + b"Content-Length: 100\r\n\r\nhello",
        ).port,
    )
    request = b"GET /api/x HTTP/1.1\r\nHost: localhost\r\n\r\n"
    chunked, counted = ui.raw(request), ui.raw(request)
    assert b"hello" in chunked
    assert not chunked.endswith(b"0\r\n\r\n")
    assert b"Content-Length: 100" in counted
    assert counted.endswith(b"hello")


def test_an_answer_without_a_length_lasts_until_the_connection_ends(
    serving: Any, root: Path, raw: Callable[..., Raw]
) -> None:
    ui = serving(root, upstream=raw(b"HTTP/1.0 200 OK\r\n\r\nto the end").port)
    answer = ui.ask("/api/x")
    assert (answer.status, answer.body) == (200, b"to the end")
    assert answer.header("Content-Type") is None, "nothing is added"


@pytest.mark.parametrize(
    "nonsense",
    [
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 999999 OK\r\n\r\n",
    ],
)
def test_an_answer_that_is_not_http_is_a_502(
    serving: Any, root: Path, raw: Callable[..., Raw], nonsense: bytes
) -> None:
    ui = serving(root, upstream=raw(nonsense, nonsense).port)
    answer = ui.ask("/api/x")
    assert (answer.status, answer.json["code"]) == (502, "api_broken")


def test_what_the_api_says_before_its_answer_is_not_the_answer(
    serving: Any, root: Path, raw: Callable[..., Raw]
) -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
    ui = serving(root, upstream=raw(early + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").port)
    answer = ui.ask("/api/x")
    assert (answer.status, answer.body, answer.header("Link")) == (200, b"ok", None)


def test_an_upgrade_that_nobody_asked_for_is_no_answer(
    serving: Any, root: Path, raw: Callable[..., Raw]
) -> None:
    granted = b"HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    ui = serving(root, upstream=raw(granted).port)
    assert ui.ask("/api/x").json["code"] == "api_broken"
