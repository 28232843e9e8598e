"""The HTTP stop: the runtime and the guardian ask alike, and take the same answers."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable

import pytest

from bundlevisor.actors.guardian.http_stop import StopRequest
from bundlevisor.actors.loop.reactor import Loop
from bundlevisor.actors.probes.stop_exchange import is_accepted, request
from bundlevisor.actors.probes.stop_request import StopExchange
from tests.waiting import WITHIN

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
DOWN = b'HTTP/1.1 202 Accepted\r\nContent-Length: 18\r\n\r\n{"status": "down"}'
NO = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


def by_guardian(port: int, path: str) -> bool:
    asked = StopRequest((port, path), time.monotonic())
    try:
        while asked.pending:
            assert select.select([asked.fd], [], [], WITHIN)[0]
            asked.read()
        return asked.accepted
    finally:
        asked.close()


def by_runtime(port: int, path: str) -> bool:
    faults: list[object] = []
    loop = Loop("test", lambda *fault: faults.append(fault))
    loop.start()
    answers: list[str] = []
    told = threading.Event()

    def answered(trouble: str) -> None:
        answers.append(trouble)
        told.set()

    try:
        asked = request(port, path)
        loop.call_soon(
            lambda: StopExchange(loop, port, asked, WITHIN, answered),
        )
        assert told.wait(WITHIN)
    finally:
        loop.stop()
    assert not faults
    return not answers[0]


@pytest.mark.parametrize("asks", [by_runtime, by_guardian])
@pytest.mark.parametrize(
    ("parts", "taken"),
    [
        ([OK], True),
        ([DOWN], True),
        ([OK[:3], OK[3:11], OK[11:]], True),
        ([b"HTTP/1.1 20"], True),
        ([NO], False),
        ([b"HTTP/1.1 2"[:9]], False),
        ([b"2 is no answer"], False),
        ([b""], False),
    ],
    ids=["200", "down", "in parts", "begun", "404", "torn", "not HTTP", "silent"],
)
def test_who_asks_takes_the_same_answers(
    asks: Callable[[int, str], bool], parts: list[bytes], taken: bool
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        read: list[bytes] = []
        serving = threading.Thread(target=answer, args=(server, parts, read), daemon=True)
        serving.start()
        assert asks(port, "/stop") is taken
        serving.join(WITHIN)
    head = read[0].split(b"\r\n")
    assert head[0] == b"POST /stop HTTP/1.1"
    assert {b"Host: 127.0.0.1:%d" % port, b"Content-Length: 0", b"Connection: close"} < {*head}


def answer(server: socket.socket, parts: list[bytes], read: list[bytes]) -> None:
    connection, _ = server.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection:
        read.append(connection.recv(65536))
        try:
            for part in parts:
                connection.sendall(part)
        except OSError:
            return  # who asks has heard enough


def test_the_whole_request_and_where_an_answer_is_enough() -> None:
    assert request(81, "/a?b") == (
        b"POST /a?b HTTP/1.1\r\nHost: 127.0.0.1:81\r\nContent-Length: 0\r\n"
        b"User-Agent: bundlevisor\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    )
    assert is_accepted(b"HTTP/1.1 ") is None
    assert is_accepted(b"HTTP/1.1 2") is is_accepted(b"HTTP/1.0 204") is True
    assert is_accepted(b"HTTP/1.1 3") is is_accepted(b"HTTP/2.1 200") is False
    assert is_accepted(b"HTTP/1.12200") is False
