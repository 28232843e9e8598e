"""Floods, trickles and oversized requests stay the problem of who sends them."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from tests.ui_server.conftest import read_all
from tests.ui_server.test_ui_anything import END_AT_ONCE

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def ui(module_serving: Any, tmp_path_factory: pytest.TempPathFactory, api: Any) -> Any:
    root = tmp_path_factory.mktemp("site")
    (root / "index.html").write_bytes(b"index")
    return module_serving(root, upstream=api.port)


def request(*lines: bytes, target: bytes = b"/") -> bytes:
    head = (b"GET " + target + b" HTTP/1.1", b"Host: localhost", b"Connection: close", *lines)
    return b"\r\n".join(head) + b"\r\n\r\n"


def post(framing: bytes) -> bytes:
    return b"POST /api/x HTTP/1.1\r\nHost: localhost\r\n" + framing + b"\r\n\r\n0\r\n\r\n"


@pytest.mark.parametrize("target", [b"/", b"/api/x"])
def test_headers_have_a_size_limit(ui: Any, target: bytes) -> None:
    assert ui.raw(request(b"X: " + b"a" * 6_000, target=target)).startswith(b"HTTP/1.1 200")
    long = ui.raw(request(b"X: " + b"a" * 20_000, target=target))
    assert long.split()[1] == b"431"
    many = ui.raw(request(*(b"X%d: 1" % n for n in range(500)), target=target))
    assert many.split()[1] in (b"400", b"431")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100_000, b"431"),
        (
            b"POST /none HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
            b"Content-Length: %d\r\n\r\n" % (2 * MIB),
            b"405",
        ),
    ],
)
def test_an_answer_arrives_though_the_client_sends_on(ui: Any, head: bytes, status: bytes) -> None:
    """What is not read resets a connection that is closed, and the answer with it."""
    with ui.connect() as client:
        client.sendall(head)
        client.sendall(b"a" * (2 * MIB))
        assert read_all(client).split()[1] == status


def test_a_path_has_a_size_limit(ui: Any) -> None:
    assert ui.raw(request(target=b"/" + b"a" * 20_000)).split()[1] in (b"414", b"431")


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"hello\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX : y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost localhost\r\n\r\n",
        post(b"Content-Length: -1"),
        post(b"Content-Length: 1\r\nContent-Length: 2"),
        post(b"Content-Length: 5\r\nTransfer-Encoding: chunked"),
        post(b"Transfer-Encoding: chunked, x"),
    ],
)
def test_what_is_not_a_request_is_refused_and_not_logged_with_a_trace(
    ui: Any, nonsense: bytes
) -> None:
    assert ui.raw(nonsense).startswith((b"HTTP/1.1 400", b"HTTP/1.0 400"))
    assert ui.ask("/").status == 200
    assert "Traceback" not in ui.log


@pytest.mark.parametrize("method", [b"FOO", b"get"])
def test_a_method_that_is_not_known_is_refused_as_such(ui: Any, method: bytes) -> None:
    answer = ui.raw(method + b" / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert answer.split()[1] == b"400"
    assert b"method" in answer
    assert b"percent" not in answer


def test_a_path_in_raw_utf8_is_refused_with_what_to_do(ui: Any) -> None:
    answer = ui.raw(request(target="/grün.txt".encode()))
    assert answer.split()[1] == b"400"
    assert b"percent-encoded" in answer


def test_a_file_is_served_while_hundreds_of_clients_trickle(ui: Any) -> None:
    slow = [ui.connect() for _ in range(300)]
    for client in slow:
        client.sendall(b"GET / HTTP/1.1\r\nHost: loc")
    try:
        for _ in range(20):
            assert ui.ask("/").status == 200
            slow[0].sendall(b"a")
    finally:
        for client in slow:
            client.close()


def test_clients_that_reset_their_connections_at_once_do_not_end_the_listening(ui: Any) -> None:
    for _ in range(200):
        with ui.connect() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, END_AT_ONCE)
    assert ui.ask("/").status == 200


def test_an_unread_answer_does_not_hold_up_the_others(ui: Any) -> None:
    stuck = []
    for _ in range(20):
        client = ui.connect()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(b"GET /api/download?mib=50 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        stuck.append(client)
    assert ui.ask("/").status == 200
    assert ui.ask("/api/x").status == 200
    for client in stuck:
        client.close()


def test_the_folder_is_read_anew_for_each_request(serving: Any, tmp_path: Path) -> None:
    ui = serving(tmp_path)
    assert ui.ask("/late.txt").status == 404
    (tmp_path / "late.txt").write_bytes(b"now")
    assert ui.ask("/late.txt").body == b"now"
