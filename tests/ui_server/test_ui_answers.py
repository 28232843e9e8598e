"""Answers of an API that ends early, says too much, or frames its content in its own way."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bundlevisor.actors.ui_server.proxy.api_connection import NoAnswerError
from bundlevisor.actors.ui_server.proxy.api_connections import ApiConnections
from tests.ui_server.conftest import read_all, until
from tests.ui_server.raw_api import RawApi

MIB = 1024 * 1024
OK = b"HTTP/1.1 200 OK\r\n"
GET = b"GET /api/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
GRANTED = b"HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

Serve = Callable[[socket.socket], None]


class Doing(RawApi):
    """An API that does this with each of its connections."""

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        super().__init__()

    def serve(self, client: socket.socket) -> None:
        """Do it."""
        self._serve(client)


@pytest.fixture
def doing() -> Iterator[Callable[[Serve], Doing]]:
    made: list[Doing] = []

    def make(serve: Serve) -> Doing:
        made.append(Doing(serve))
        return made[-1]

    yield make
    for one in made:
        one.close()


def says(answer: bytes) -> Serve:
    def serve(client: socket.socket) -> None:
        client.recv(65536)
        client.sendall(answer)

    return serve


def test_what_an_api_says_before_it_ends_the_connection_arrives(
    serving: Any, site: Path, doing: Any
) -> None:
    """It has read a part of the upload only: the rest is answered with a reset."""

    def refuse(client: socket.socket) -> None:
        client.recv(1000)
        client.sendall(b"HTTP/1.1 413 No\r\nContent-Length: 8\r\n\r\ntoo long")

    ui = serving(site, upstream=doing(refuse).port)
    for _ in range(30):
        with ui.connect() as client:
            client.sendall(
                b"POST /api/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                b"Content-Length: %d\r\n\r\n" % (2 * MIB)
            )
            client.sendall(bytes(2 * MIB))
            answer = read_all(client)
        assert answer.startswith(b"HTTP/1.1 413"), answer
        assert answer.endswith(b"too long")


@pytest.mark.parametrize(
    "more", [b"HTTP/1.1 500 Other\r\nSet-Cookie: a=b\r\nContent-Length: 1\r\n\r\nx", b"too much"]
)
@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        (OK + b"X-One: 1\r\nContent-Length: 2\r\n\r\nok", b"\r\n\r\nok"),
        (b"HTTP/1.1 204 Nothing\r\nX-One: 1\r\n\r\n", b"\r\n\r\n"),
    ],
)
def test_what_comes_after_an_answer_does_not_change_it(
    serving: Any, site: Path, doing: Any, answer: bytes, seen: bytes, more: bytes
) -> None:
    ui = serving(site, upstream=doing(says(answer + more)).port)
    got = ui.raw(GET)
    assert got.startswith(answer.partition(b"\r\n")[0] + b"\r\nX-One: 1\r\n")
    assert got.endswith(seen)
    assert b"a=b" not in got
    assert b"chunked" not in got


@pytest.mark.parametrize(
    ("status", "length"), [(b"204 Nothing", 0), (b"204 Nothing", 2), (b"304 The Same", 2)]
)
def test_only_what_may_have_a_length_is_passed_on_with_it(
    serving: Any, site: Path, doing: Any, status: bytes, length: int
) -> None:
    field = b"Content-Length: %d\r\n" % length
    ui = serving(site, upstream=doing(says(b"HTTP/1.1 " + status + b"\r\n" + field + b"\r\n")).port)
    got = ui.raw(GET)
    assert got.startswith(b"HTTP/1.1 " + status)
    assert (field in got) == status.startswith(b"304")


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: gzip\r\n\r\nok",
        OK + b"X: a\0b\r\nContent-Length: 2\r\n\r\nok",
    ],
)
def test_what_cannot_be_passed_on_as_it_is_meant_is_a_502(
    serving: Any, site: Path, doing: Any, answer: bytes
) -> None:
    ui = serving(site, upstream=doing(says(answer)).port)
    got = ui.ask("/api/x")
    assert (got.status, got.json["code"]) == (502, "api_broken")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n",
        b"HTTP/1.1 101 Yes\r\n\r\n\x81\x02hi",
    ],
)
def test_a_websocket_is_granted_by_that_name_only(
    serving: Any, site: Path, doing: Any, answer: bytes
) -> None:
    ui = serving(site, upstream=doing(says(answer)).port)
    with ui.connect() as client:
        client.sendall(UPGRADE)
        assert client.recv(65536).startswith(b"HTTP/1.1 502")


def test_what_is_passed_on_in_pieces_does_not_wait_for_the_apis_acknowledgement(doing: Any) -> None:
    """asyncio sets that for sockets of TCP only, by the protocol that they were made with."""
    port = doing(lambda client: client.recv(1)).port

    async def ask() -> None:
        connection = await ApiConnections(5.0).new(port)
        assert connection.transport is not None
        client = connection.transport.get_extra_info("socket")
        assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        connection.abort()

    asyncio.run(ask())


def test_a_kept_connection_that_is_just_ending_is_no_answer(doing: Any) -> None:
    """Then the request is sent on another one; it was not heard."""
    port = doing(lambda client: client.recv(1)).port

    async def ask() -> None:
        connection = await ApiConnections(5.0).new(port)
        connection.close()
        with pytest.raises(NoAnswerError):
            connection.ask("GET", b"GET / HTTP/1.1\r\n\r\n", 5.0)
        await asyncio.sleep(0)

    asyncio.run(ask())


def test_the_last_words_of_a_websockets_client_reach_a_slow_api(
    serving: Any, site: Path, doing: Any
) -> None:
    """Whatever the buffers on the way hold, for one of the sizes they are full at the end."""
    gone, heard = threading.Event(), [0]

    def slow(client: socket.socket) -> None:
        client.recv(65536)
        client.sendall(GRANTED)
        gone.wait(20)
        size = 0
        while piece := client.recv(65536):
            size += len(piece)
        heard.append(size)

    def has_heard(number: int) -> bool:
        return len(heard) == number

    ui = serving(site, upstream=doing(slow).port)
    for number, size in enumerate(range(MIB // 8, 7 * MIB, MIB // 8), start=2):
        gone.clear()
        with ui.connect() as client:
            client.sendall(UPGRADE)
            assert client.recv(65536).startswith(b"HTTP/1.1 101")
            client.settimeout(0.2)
            try:
                client.sendall(b"\x82\xff" + size.to_bytes(8, "big") + bytes(4 + size))
            except TimeoutError:
                break  # more than the buffers hold
        for _ in range(3):
            assert ui.ask("/").status == 200, "the end has been noticed"
        gone.set()
        until(partial(has_heard, number), "the API has heard the end")
        assert heard[-1] == size + 14
    gone.set()


def test_the_last_words_of_an_api_reach_the_client_that_talks_on(
    serving: Any, site: Path, doing: Any
) -> None:
    goodbye = b"\x88\x02\x03\xf0"

    def leave(client: socket.socket) -> None:
        client.recv(65536)
        client.sendall(GRANTED)
        client.recv(1000)
        client.sendall(goodbye)

    ui = serving(site, upstream=doing(leave).port)
    for _ in range(30):
        with ui.connect() as client:
            client.sendall(UPGRADE)
            answer = client.recv(65536)
            with contextlib.suppress(ConnectionError):
                for _ in range(50):
                    client.sendall(b"\x82\xfe\x10\x00" + bytes(4 + 4096))
            with contextlib.suppress(ConnectionError):
                while piece := client.recv(65536):  # a reset may follow the words
                    answer += piece
        assert answer.endswith(goodbye), answer[-100:]
