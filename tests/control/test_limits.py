from __future__ import annotations

import ast
import inspect
import select
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

import bundlevisor.control.http.connection
import bundlevisor.control.http.server
from bundlevisor.actors.core.snapshot import State
from bundlevisor.control.http import waitress_parts
from bundlevisor.control.http.connection import Connection
from bundlevisor.control.http.door import Door
from bundlevisor.control.http.memory import Memory
from bundlevisor.control.http.server import ControlServer, HttpServer
from bundlevisor.control.wire.closing import Closing
from tests.control.conftest import listen
from tests.control.fake_runtime import FakeRuntime, view
from tests.control.wire import TOKEN, Api, read_answer, read_to_end, status_of
from tests.waiting import WITHIN, wait_until

HEAD = b"Host: 127.0.0.1\r\nAuthorization: Bearer " + TOKEN.encode() + b"\r\n"


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> float:
    """A deadline and a sweep that a test can wait for."""
    monkeypatch.setattr(bundlevisor.control.http.connection, "REQUEST_DEADLINE_S", 0.5)
    monkeypatch.setattr(bundlevisor.control.http.server, "SWEEP_S", 0.05)
    return 0.5


class Trickle(threading.Thread):
    """Sends a byte now and then on many connections, so that none of them is ever idle."""

    def __init__(self, clients: list[socket.socket], text: bytes) -> None:
        super().__init__(daemon=True)
        self.clients, self.text = clients, text
        self.over = threading.Event()
        self.refused = 0
        self.start()

    def run(self) -> None:
        for position in range(len(self.text)):
            for client in self.clients:
                try:
                    client.send(self.text[position : position + 1])
                except OSError:
                    self.refused += 1
            if self.over.wait(0.02):
                return


@pytest.fixture
def clients() -> Iterator[list[socket.socket]]:
    opened: list[socket.socket] = []
    yield opened
    for client in opened:
        client.close()


def test_headers_over_16_kib_are_431_and_the_answer_is_readable(api: Api) -> None:
    padding = b"X-Padding: " + b"x" * 17_000 + b"\r\n"
    answer = api.raw(b"GET /healthz HTTP/1.1\r\n" + HEAD + padding + b"\r\n")
    assert status_of(answer) == 431
    assert b'"code":"headers_too_large"' in answer
    assert b"Cache-Control: no-store" in answer
    fitting = b"X-Padding: " + b"x" * 15_000 + b"\r\nConnection: close\r\n"
    assert status_of(api.raw(b"GET /healthz HTTP/1.1\r\n" + HEAD + fitting + b"\r\n")) == 200


def test_more_than_a_hundred_headers_are_431(api: Api) -> None:
    tiny = b"a:b\r\n"
    answer = api.raw(b"GET /readyz HTTP/1.1\r\n" + HEAD + tiny * 2500 + b"\r\n")
    assert status_of(answer) == 431
    assert b"there are more than 100 headers" in answer
    few = HEAD + tiny * 90 + b"Connection: close\r\n\r\n"
    assert status_of(api.raw(b"GET /readyz HTTP/1.1\r\n" + few)) == 200


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
    clients.append(api.connect())
    trickle = Trickle(clients, b"GET /healthz HTTP/1.1\r\nX-Slow: " + b"x" * 1000)
    began = time.monotonic()
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
    assert api.get("/healthz").status == 200


def test_a_server_to_which_nobody_is_connected_sleeps(
    hasty: float, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    patience: list[float] = []
    turn = waitress_parts.loop

    def noted(timeout: float, **keywords: Any) -> None:
        patience.append(timeout)
        turn(timeout, **keywords)

    monkeypatch.setattr(bundlevisor.control.http.server, "loop", noted)
    with api.connect() as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\n" + HEAD + b"\r\n")
        assert status_of(read_answer(client)) == 200
        wait_until(
            lambda: any(0 < one <= hasty for one in patience),
            what="a turn for those who are connected",
        )
    wait_until(lambda: patience[-1] > 10, what="the last one has gone")
    assert api.get("/healthz").status == 200


def test_a_connection_between_requests_is_kept(hasty: float, api: Api) -> None:
    request = b"GET /healthz HTTP/1.1\r\n" + HEAD + b"\r\n"
    with api.connect() as client:
        client.sendall(request)
        assert status_of(read_answer(client)) == 200
        assert not threading.Event().wait(hasty * 3)
        client.sendall(request)
        assert status_of(read_answer(client)) == 200


def test_a_request_that_waits_is_not_ended_by_the_deadline(
    hasty: float, api: Api, runtime: FakeRuntime
) -> None:
    runtime.change("db", State.STARTING)
    assert api.get(f"/readyz?wait={hasty * 3}").status == 200


@pytest.mark.parametrize("count", [150, 400])
def test_trickling_clients_never_keep_a_new_one_out(
    api: Api, clients: list[socket.socket], count: int
) -> None:
    clients += [api.connect() for _ in range(count)]
    trickle = Trickle(clients, b"GET /healthz HTTP/1.1\r\nX-Slow: " + b"x" * 10_000)
    for _ in range(20):
        assert api.get("/readyz").status == 200
    trickle.over.set()
    trickle.join(10)


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
        wait_until(lambda n=number: n + 1 <= len(opened), what="connected")  # type: ignore[misc]
    assert opened[0].recv(1) == b""
    assert opened[1].recv(1) == b""
    opened[4].setblocking(False)
    with pytest.raises(BlockingIOError):
        opened[4].recv(1)
    http.finish(1)
    thread.join(10)
    assert not thread.is_alive()
    for client in opened:
        client.close()


def test_a_client_that_asks_on_without_reading_holds_no_thread(
    monkeypatch: pytest.MonkeyPatch, api: Api, runtime: FakeRuntime, clients: list[socket.socket]
) -> None:
    monkeypatch.setattr(bundlevisor.control.http.connection, "SLOW_READER_S", 0.1)
    runtime.logs.content["db"] = b"x" * (6 << 20)
    request = b"GET /logs/tail?serviceId=db HTTP/1.1\r\n" + HEAD + b"\r\n"
    for _ in range(12):
        clients.append(api.connect())
        clients[-1].sendall(request * 4)
    wait_until(lambda: len(runtime.logs.asked) >= 8, what="the greedy clients are being answered")
    assert api.get("/status", timeout=WITHIN).status == 200
    assert api.get("/healthz").status == 200


def test_a_client_that_reads_gets_all_that_it_has_asked_for(api: Api, runtime: FakeRuntime) -> None:
    runtime.logs.content["db"] = b"x" * (6 << 20)
    request = b"GET /logs/tail?serviceId=db HTTP/1.1\r\n" + HEAD
    answer = api.raw((request + b"\r\n") * 3 + request + b"Connection: close\r\n\r\n")
    assert answer.count(b"200 OK") == 4
    assert len(answer) > 24 << 20


def test_the_loop_has_nothing_to_do_while_a_thread_sends(
    monkeypatch: pytest.MonkeyPatch, api: Api
) -> None:
    sending, go_on, rounds = threading.Event(), threading.Event(), []
    send, go_round = Connection.send, HttpServer.go_round

    def slow(self: Connection, data: bytes, do_close: bool = True) -> int:
        if threading.current_thread().name.startswith("api-"):
            sending.set()
            go_on.wait(WITHIN)
        return send(self, data, do_close)

    def counted(self: HttpServer, patience: float) -> None:
        rounds.append(patience)
        go_round(self, patience)

    monkeypatch.setattr(Connection, "send", slow)
    monkeypatch.setattr(HttpServer, "go_round", counted)
    with api.connect() as client:
        client.sendall(b"GET /secrets HTTP/1.1\r\n" + HEAD + b"\r\n")
        assert sending.wait(WITHIN)
        before, many = len(rounds), 20
        for _ in range(many):
            assert api.get("/healthz", token=None).status == 200
        assert len(rounds) - before < 6 * many
        go_on.set()
        assert status_of(read_answer(client)) == 200


def test_what_the_system_does_not_take_of_an_answer_is_sent_later_and_then_forgotten(
    monkeypatch: pytest.MonkeyPatch,
    api: Api,
    runtime: FakeRuntime,
    server: tuple[ControlServer, int],
) -> None:
    send = Connection.send

    def send_half(self: Connection, data: bytes, do_close: bool = True) -> int:
        return send(self, data[: max(1, len(data) // 2)], do_close)

    runtime.publish(*(view(f"s{number}", message="x" * 1000) for number in range(60)))
    whole, many = len(api.get("/readyz").body), 8
    monkeypatch.setattr(Connection, "send", send_half)
    with api.connect() as client:
        for _ in range(many):
            client.sendall(b"GET /readyz HTTP/1.1\r\n" + HEAD + b"\r\n")
            assert len(read_answer(client).partition(b"\r\n\r\n")[2]) == whole
        connections = server[0]._http.active_channels.values()
        held = next(one for one in connections if one.asked == many)
        assert 0 < sum(one.getfile().seek(0, 2) for one in held.outbufs) < 2 * whole


def test_the_answer_to_shutdown_reaches_the_client_while_the_server_ends(
    runtime: FakeRuntime,
) -> None:
    listener = listen()
    server = ControlServer(runtime, TOKEN, listener)
    runtime.shutdown = lambda reason: threading.Thread(  # type: ignore[method-assign]
        target=server.stop, args=(5,)
    ).start()
    server.start()
    reply = Api(listener.getsockname()[1]).post("/shutdown")
    assert (reply.status, reply.json()) == (202, {"status": "stopping"})
    wait_until(lambda: listener.fileno() == -1, what="the listener is closed")


def test_an_end_in_the_middle_of_an_answer_waits_for_it(
    monkeypatch: pytest.MonkeyPatch,
    server: tuple[ControlServer, int],
    api: Api,
    runtime: FakeRuntime,
) -> None:
    looks: list[bool] = []
    is_finished = server[0]._http._is_finished

    def look() -> bool:
        finished = is_finished()
        if server[0]._http._finish_by is not None:
            looks.append(finished)
        return finished

    monkeypatch.setattr(server[0]._http, "_is_finished", look)
    runtime.hold.clear()
    answers = []
    asking = threading.Thread(target=lambda: answers.append(api.post("/services/db/stop")))
    asking.start()
    wait_until(lambda: runtime.commands, what="the command is being answered")
    ended: list[bool] = []
    ending = threading.Thread(target=lambda: ended.append(server[0].stop(10)))
    ending.start()
    wait_until(lambda: looks, what="the server looks whether it can end")
    assert looks[0] is False
    assert not ended
    runtime.hold.set()
    asking.join(10)
    ending.join(10)
    assert answers[0].status == 202
    assert ended == [True]


def test_an_end_is_bounded_by_its_timeout(
    server: tuple[ControlServer, int], api: Api, runtime: FakeRuntime, clients: list[socket.socket]
) -> None:
    runtime.hold.clear()
    clients.append(api.connect())
    clients[0].sendall(b"POST /services/db/stop HTTP/1.1\r\n" + HEAD + b"\r\n")
    wait_until(lambda: runtime.commands, what="the command is being answered")
    assert server[0].stop(0.1) is False
    assert read_to_end(clients[0]) == b""


def test_a_server_that_was_never_started_can_be_stopped(runtime: FakeRuntime) -> None:
    listener = listen()
    assert ControlServer(runtime, TOKEN, listener).stop(1) is True
    assert listener.fileno() == -1


def test_requests_that_came_before_the_start_are_answered(runtime: FakeRuntime) -> None:
    listener = listen()
    early = socket.create_connection(listener.getsockname()[:2], timeout=WITHIN)
    early.sendall(b"GET /healthz HTTP/1.1\r\n" + HEAD + b"Connection: close\r\n\r\n")
    server = ControlServer(runtime, TOKEN, listener)
    server.start()
    assert status_of(read_to_end(early)) == 200
    early.close()
    assert server.stop(5)


def test_an_empty_token_is_refused() -> None:
    listener = listen()
    with listener, pytest.raises(ValueError, match="token"):
        ControlServer(FakeRuntime(), "", listener)


def test_every_part_of_waitress_that_is_relied_on_exists() -> None:
    stub = waitress_parts.__file__.replace(".py", ".pyi")
    with open(stub, encoding="utf-8") as file:
        declared = [node for node in ast.parse(file.read()).body if isinstance(node, ast.ClassDef)]
    parts = [node for node in declared if hasattr(waitress_parts, node.name)]
    assert parts
    for node in parts:
        part = getattr(waitress_parts, node.name)
        source = inspect.getsource(inspect.getmodule(part) or part)
        for member in node.body:
            if isinstance(member, ast.FunctionDef):
                assert callable(getattr(part, member.name)), f"{node.name}.{member.name}"
            elif isinstance(member, ast.AnnAssign) and isinstance(member.target, ast.Name):
                assert member.target.id in source, f"{node.name}.{member.target.id}"
