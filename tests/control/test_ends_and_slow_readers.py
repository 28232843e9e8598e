"""Clients that read slowly or not at all, and answers that are being sent when the server ends."""

from __future__ import annotations

import ast
import inspect
import socket
import threading

import pytest

import bundlevisor.control.http.connection
import bundlevisor.control.http.late_application
import bundlevisor.control.http.server
import bundlevisor.control.http.tasks
from bundlevisor.control.http import waitress_parts
from bundlevisor.control.http.connection import IDLE_S, Connection
from bundlevisor.control.http.server import ControlServer, HttpServer
from tests.control.conftest import listen
from tests.control.fake_runtime import FakeRuntime, view
from tests.control.wire import HEAD, TOKEN, Api, read_answer, read_to_end, status_of
from tests.waiting import WITHIN, wait_until


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


def test_a_client_that_reads_gets_all_that_it_has_asked_for(
    monkeypatch: pytest.MonkeyPatch, api: Api, runtime: FakeRuntime
) -> None:
    monkeypatch.setattr(bundlevisor.control.http.connection, "SLOW_READER_S", WITHIN)
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
        if threading.current_thread().name != "control-api":  # the loop
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


def test_an_answer_that_gets_on_may_take_as_long_as_its_reader_needs(
    monkeypatch: pytest.MonkeyPatch,
    api: Api,
    runtime: FakeRuntime,
    server: tuple[ControlServer, int],
) -> None:
    runtime.logs.content["db"] = b"x" * (6 << 20)
    with api.connect() as client, monkeypatch.context() as patched:
        client.sendall(b"GET /logs/tail?serviceId=db HTTP/1.1\r\n" + HEAD + b"\r\n")
        held = server[0]._http.active_channels
        wait_until(lambda: [one for one in held.values() if one.total_outbufs_len])
        (connection,) = held.values()
        wait_until(lambda: not connection.requests, what="all that is left to do is to send")
        ends: list[bool] = []
        patched.setattr(connection, "handle_close", lambda: ends.append(True))
        asked = connection.began_at
        connection.sent_at = asked + IDLE_S
        connection.expire(asked + IDLE_S + 1)
        assert not ends
        connection.expire(asked + 2 * IDLE_S + 1)
        assert ends


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
        if server[0]._http._last is not None:
            looks.append(finished)
        return finished

    monkeypatch.setattr(server[0]._http, "_is_finished", look)
    runtime.hold.clear()
    answers = []
    asking = threading.Thread(target=lambda: answers.append(api.post("/services/db/stop")))
    asking.start()
    wait_until(lambda: runtime.commands, what="the command is being answered")
    ended: list[bool] = []
    ending = threading.Thread(target=lambda: ended.append(server[0].stop(WITHIN)))
    ending.start()
    wait_until(lambda: looks, what="the server looks whether it can end")
    assert looks[0] is False
    assert not ended
    runtime.hold.set()
    asking.join(WITHIN)
    ending.join(WITHIN)
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


def test_a_request_that_cannot_be_answered_at_all_ends_with_its_connection(
    monkeypatch: pytest.MonkeyPatch, api: Api, runtime: FakeRuntime
) -> None:
    """As without the installed files: neither the answer nor the words of an error can be made."""

    def gone(*_: object) -> None:
        raise ModuleNotFoundError("expected: it is gone")

    monkeypatch.setattr(bundlevisor.control.http.late_application.LateApplication, "_make", gone)
    monkeypatch.setattr(bundlevisor.control.http.tasks, "of_error", gone)
    assert api.raw(b"GET /events HTTP/1.1\r\n" + HEAD + b"\r\n") == b""
    assert api.get("/healthz").status == 200
    assert {what for what, _ in runtime.faults} >= {"answering a request"}
