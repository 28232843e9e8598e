from __future__ import annotations

import contextlib
import errno
import select
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import bundlevisor.control.http.connection
import bundlevisor.control.http.server
from bundlevisor.actors.core.snapshot import State
from bundlevisor.control.http import waitress_parts
from bundlevisor.control.http.door import Door
from bundlevisor.control.http.last_answers import LastAnswers
from bundlevisor.control.http.memory import Memory
from bundlevisor.control.http.server import SWEEP_S, HttpServer
from bundlevisor.control.wire.closing import Closing
from tests.control.conftest import listen
from tests.control.fake_runtime import FakeRuntime
from tests.control.wire import HEAD, TOKEN, Api, read_answer, read_to_end, status_of
from tests.waiting import WITHIN, wait_until


@pytest.fixture
def hasten(monkeypatch: pytest.MonkeyPatch) -> Callable[[], float]:
    """Make deadline and sweep what a test can wait for, once what is to be well has been sent."""

    def now() -> float:
        monkeypatch.setattr(bundlevisor.control.http.connection, "REQUEST_DEADLINE_S", 0.5)
        monkeypatch.setattr(bundlevisor.control.http.server, "SWEEP_S", 0.05)
        return 0.5

    return now


@pytest.fixture
def hasty(hasten: Callable[[], float]) -> float:
    return hasten()


class Trickle(threading.Thread):
    """Sends a byte now and then on many connections, so that none of them is ever idle."""

    def __init__(self, clients: list[socket.socket], text: bytes) -> None:
        super().__init__(daemon=True)
        self.clients, self.text = clients, text
        self.over = threading.Event()
        self.start()

    def run(self) -> None:
        for position in range(len(self.text)):
            for client in self.clients:
                with contextlib.suppress(OSError):  # it has been refused
                    client.send(self.text[position : position + 1])
            if self.over.wait(0.02):
                return


def test_headers_over_16_kib_are_431_and_the_answer_is_readable(api: Api) -> None:
    padding = b"X-Padding: " + b"x" * 17_000 + b"\r\n"
    answer = api.raw(b"GET /healthz HTTP/1.1\r\n" + HEAD + padding + b"\r\n")
    assert status_of(answer) == 431
    assert b'"code":"headers_too_large"' in answer
    assert b"Cache-Control: no-store" in answer
    start = b"GET /healthz HTTP/1.1\r\n" + b"Host: localhost\r\nConnection: close\r\nX: "
    for size, status in ((16 * 1024, 200), (16 * 1024 + 1, 431)):
        whole = start.ljust(size - 4, b"x") + b"\r\n\r\n"
        assert status_of(api.raw(whole)) == status


def test_more_than_a_hundred_headers_are_431(api: Api) -> None:
    tiny = b"a:b\r\n"
    answer = api.raw(b"GET /readyz HTTP/1.1\r\n" + HEAD + tiny * 2500 + b"\r\n")
    assert status_of(answer) == 431
    assert b"there are more than 100 headers" in answer
    for count, status in ((100, 200), (101, 431)):
        rest = tiny * (count - 1 - HEAD.count(b"\n")) + b"Connection: close\r\n\r\n"
        assert status_of(api.raw(b"GET /readyz HTTP/1.1\r\n" + HEAD + rest)) == status


@pytest.mark.parametrize("ended", [b"", b"\r\n"])
def test_trailers_are_bounded_as_headers_are(api: Api, ended: bytes) -> None:
    head = b"POST /secrets HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    trailers = b"0\r\n" + (b"a: " + b"x" * 1000 + b"\r\n") * 20
    answer = api.raw(head + trailers + ended)
    assert status_of(answer) == 431
    assert b"the trailers are larger than 16 KiB" in answer


@pytest.mark.parametrize("size", [(1 << 20) + 1, 5 << 20])
def test_a_body_over_1_mib_is_413_and_the_answer_is_readable(api: Api, size: int) -> None:
    reply = api.post("/secrets", {"secrets": {"session": "x" * size}})
    assert reply.refusal == (413, "body_too_large")
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


def test_a_body_of_just_1_mib_is_taken(api: Api, runtime: FakeRuntime) -> None:
    shell = '{"secrets": {"session": ""}}'
    body = shell.replace('""', '"' + "x" * ((1 << 20) - len(shell)) + '"')
    assert len(body) == 1 << 20
    reply = api.ask("POST", "/secrets", body, Content_Type="application/json")
    assert reply.status == 200
    assert len(str(runtime.stored["session"])) > 1_000_000


def test_a_chunked_body_over_1_mib_is_413(api: Api) -> None:
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    with api.connect() as client:
        client.sendall(b"POST /secrets HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        client.sendall(chunk * 17 + b"0\r\n\r\n")
        assert status_of(read_to_end(client)) == 413


def test_a_request_that_trickles_in_is_ended_at_the_deadline(
    hasty: float, api: Api, clients: list[socket.socket]
) -> None:
    began = time.monotonic()
    clients.append(api.connect())
    trickle = Trickle(clients, b"GET /healthz HTTP/1.1\r\nX-Slow: " + b"x" * 1000)
    answer = read_to_end(clients[0])
    trickle.over.set()
    assert time.monotonic() - began >= hasty
    assert status_of(answer) == 408
    assert b'"code":"request_timeout"' in answer


def test_a_body_that_trickles_in_is_ended_at_the_deadline(
    hasty: float, api: Api, clients: list[socket.socket]
) -> None:
    clients.append(api.connect())
    clients[0].sendall(b"POST /secrets HTTP/1.1\r\n" + HEAD + b"Content-Length: 1000\r\n\r\n")
    trickle = Trickle(clients, b"x" * 999)
    answer = read_to_end(clients[0])
    trickle.over.set()
    assert status_of(answer) == 408


def test_a_connection_that_says_nothing_is_closed(
    hasty: float, api: Api, clients: list[socket.socket]
) -> None:
    clients.append(api.connect())
    assert read_to_end(clients[0]) == b""


def test_a_connection_that_is_closed_does_not_disturb_the_others_where_there_is_only_select(
    hasty: float, api: Api, clients: list[socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows; a fault would be found when the server has stopped."""
    turns: list[float] = []
    turn = waitress_parts.loop

    def noted(*arguments: Any, **keywords: Any) -> None:
        try:
            turn(*arguments, **keywords)
        finally:
            turns.append(time.monotonic())

    monkeypatch.delattr(select, "poll", raising=False)
    monkeypatch.setattr(bundlevisor.control.http.server, "loop", noted)
    monkeypatch.setattr(bundlevisor.control.http.server, "QUIET_S", hasty)
    clients.append(api.connect())
    assert read_to_end(clients[0]) == b""
    seen = len(turns)  # until then nothing is opened, which might get the number of what was closed
    wait_until(lambda: len(turns) >= seen + 2, what="two turns more")
    monkeypatch.setattr(bundlevisor.control.http.connection, "REQUEST_DEADLINE_S", WITHIN)
    assert api.get("/healthz").status == 200


def test_a_server_to_which_nobody_is_connected_sleeps(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    patience: list[float] = []
    turn = waitress_parts.loop

    def noted(timeout: float, *rest: Any) -> None:
        patience.append(timeout)
        turn(timeout, *rest)

    monkeypatch.setattr(bundlevisor.control.http.server, "loop", noted)
    with api.connect() as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\n" + HEAD + b"\r\n")
        assert status_of(read_answer(client)) == 200
        wait_until(
            lambda: any(0 < one <= SWEEP_S for one in patience),
            what="a turn for those who are connected",
        )
    wait_until(lambda: patience[-1] > 10, what="the last one has gone")
    assert api.get("/healthz").status == 200


def test_a_connection_between_requests_is_kept(hasten: Callable[[], float], api: Api) -> None:
    request = b"GET /healthz HTTP/1.1\r\n" + HEAD + b"\r\n"
    with api.connect() as client:
        client.sendall(request)
        assert status_of(read_answer(client)) == 200
        assert not threading.Event().wait(hasten() * 3)
        client.sendall(request)
        assert status_of(read_answer(client)) == 200


def test_a_request_that_waits_is_not_ended_by_the_deadline(
    hasten: Callable[[], float], api: Api, runtime: FakeRuntime
) -> None:
    runtime.change("db", State.STARTING)
    with api.connect() as client:
        client.sendall(b"GET /readyz?wait=1.5 HTTP/1.1\r\n" + HEAD + b"\r\n")
        runtime.board.await_verdicts()
        hasten()
        assert status_of(read_answer(client)) == 200


@pytest.mark.parametrize("count", [150, 400])
def test_trickling_clients_never_keep_a_new_one_out(
    api: Api, clients: list[socket.socket], count: int
) -> None:
    clients += [api.connect() for _ in range(count)]
    trickle = Trickle(clients, b"GET /healthz HTTP/1.1\r\nX-Slow: " + b"x" * 10_000)
    for _ in range(20):
        assert api.get("/readyz").status == 200
    trickle.over.set()
    trickle.join(WITHIN)


def test_one_descriptor_is_enough_for_one_client_after_another(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without one, accept(2) fails also where nobody waits: nobody makes room for nobody."""
    accept, refused = HttpServer.accept, threading.Event()

    def accept_one(http: HttpServer) -> Any:
        if http.active_channels:
            refused.set()
            raise OSError(errno.EMFILE, "no descriptor is left")
        return accept(http)

    monkeypatch.setattr(HttpServer, "accept", accept_one)
    with api.connect() as client:
        assert refused.wait(WITHIN)
        client.sendall(b"GET /healthz HTTP/1.1\r\n" + HEAD + b"\r\n")
        assert status_of(read_answer(client)) == 200
        assert api.get("/healthz").status == 200
        assert read_to_end(client) == b""


def has_read(http: HttpServer, client: socket.socket) -> bool:
    """Whether the server has a part of a request of this client."""
    held = tuple(http.active_channels.values())
    return any(one.addr == client.getsockname() and one.request for one in held)


def test_too_many_connections_cost_the_oldest_incomplete_one(runtime: FakeRuntime) -> None:
    listener = listen()
    http = HttpServer(
        lambda environ, start: [],
        Door(TOKEN),
        Memory(runtime, Closing()),
        listener,
        runtime.fault,
        connections=3,
    )
    thread = threading.Thread(target=http.run)
    thread.start()
    opened = []
    for number in range(5):
        opened.append(socket.create_connection(listener.getsockname()[:2], timeout=WITHIN))
        opened[-1].sendall(b"GET /" + str(number).encode())
        wait_until(partial(has_read, http, opened[-1]), what="it has been read")
    assert opened[0].recv(1) == b""
    assert opened[1].recv(1) == b""
    opened[4].setblocking(False)
    with pytest.raises(BlockingIOError):
        opened[4].recv(1)
    http.finish(LastAnswers(1, 1))
    thread.join(WITHIN)
    assert not thread.is_alive()
    for client in opened:
        client.close()
