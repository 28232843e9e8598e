"""Health checks against real sockets: what counts as well, and what is said otherwise."""

from __future__ import annotations

import errno
import os
import queue
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from bundlevisor.actors.loop.reactor import Loop
from bundlevisor.actors.probes.checks import Answer, HttpCheck, Target, TcpCheck
from bundlevisor.actors.probes.command_check import CommandCheck
from bundlevisor.actors.probes.listen_watch import Listening, pause
from bundlevisor.actors.probes.probing import Probing
from bundlevisor.actors.probes.schedule import ProbeStats
from bundlevisor.manifest.format.probe import Health
from bundlevisor.manifest.plan.readiness import Condition, Criterion
from tests.fresh_ports import fresh_port
from tests.waiting import WITHIN, wait_until

DEADLINE = WITHIN


def port_of(server: socket.socket) -> int:
    return int(server.getsockname()[1])


def patient(**more: Any) -> Health:
    """Nobody takes as long as this has patience, whatever the machine does."""
    return Health(type="http", timeout_ms=100_000, **more)


def answering(server: socket.socket, *answers: bytes, keep_open: bool = False) -> None:
    def serve() -> None:
        for answer in answers:
            with _asked(server) as connection:
                if answer:
                    connection.sendall(answer)
                if keep_open:
                    connection.recv(1)

    threading.Thread(target=serve, daemon=True).start()


def _asked(server: socket.socket) -> socket.socket:
    """Return the next connection that asks; a look whether somebody listens asks for nothing."""
    while not (connection := server.accept()[0]).recv(65536):
        connection.close()
    return connection


def ask(loop: Loop, make: Callable[[Answer], object]) -> str:
    told: queue.Queue[str] = queue.Queue()
    loop.call_soon(lambda: make(told.put))
    return told.get(timeout=DEADLINE)


def ask_http(loop: Loop, port: int, timeout: float = DEADLINE * 2) -> str:
    return ask(loop, lambda answer: HttpCheck(loop, port, "/health", timeout, answer))


@pytest.mark.parametrize(
    ("response", "verdict"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", ""),
        (b"HTTP/1.1 500 Oops\r\n\r\n", "HTTP 500"),
        (b"", "the connection was closed unanswered"),
    ],
)
def test_an_http_answer_means_what_the_format_says(
    loop: Loop, listener: socket.socket, response: bytes, verdict: str
) -> None:
    answering(listener, response)
    assert ask_http(loop, port_of(listener)) == verdict


def test_an_answer_on_a_connection_that_stays_open_is_judged_as_soon_as_it_is_whole(
    loop: Loop, listener: socket.socket
) -> None:
    answering(listener, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", keep_open=True)
    assert ask_http(loop, port_of(listener)) == ""


def test_a_check_comes_from_where_an_ordinary_client_comes(
    loop: Loop, listener: socket.socket
) -> None:
    seen: queue.Queue[str] = queue.Queue()

    def accept() -> None:
        connection, address = listener.accept()
        seen.put(address[0])
        connection.close()

    threading.Thread(target=accept, daemon=True).start()
    assert ask(loop, lambda answer: TcpCheck(loop, port_of(listener), DEADLINE * 2, answer)) == ""
    assert seen.get(timeout=DEADLINE) == "127.0.0.1"


class MeetsItself(socket.socket):
    """Is given the port that it connects to, as happens now and then in the ephemeral range."""

    def connect_ex(self, address: Any) -> int:
        self.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.bind(address)
        return super().connect_ex(address)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows refuses a simultaneous open")
@pytest.mark.parametrize("kind", ["tcp", "http"])
def test_a_connection_with_itself_is_no_listener_and_leaves_the_port_free(
    loop: Loop, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    port = fresh_port()
    monkeypatch.setattr("bundlevisor.actors.probes.checks.new_socket", MeetsItself)
    if kind == "http":
        trouble = ask_http(loop, port)
    else:
        trouble = ask(loop, lambda answer: TcpCheck(loop, port, DEADLINE * 2, answer))
    assert trouble == f"nothing listens on port {port}"
    with socket.socket() as strict:
        strict.bind(("127.0.0.1", port))


def test_an_answer_that_cannot_be_watched_for_is_heard_all_the_same(
    loop: Loop, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That the runtime has no room for one watch more says nothing of the service."""
    refused = threading.Event()

    def full(*_: object) -> None:
        refused.set()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def serve() -> None:
        with _asked(listener) as connection:
            if refused.wait(DEADLINE):
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    threading.Thread(target=serve, daemon=True).start()
    monkeypatch.setattr(loop, "watch", full)
    assert ask_http(loop, port_of(listener)) == ""
    assert refused.is_set()


def test_a_connection_under_way_that_cannot_be_watched_is_no_answer(
    loop: Loop, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def make(answer: Answer) -> None:
        try:
            TcpCheck(loop, port_of(listener), DEADLINE, answer)
        except OSError as error:
            answer(f"raised {error.errno}")

    monkeypatch.setattr(loop, "watch", full)
    monkeypatch.setattr(TcpCheck, "_peer", lambda _: None)
    assert ask(loop, make) == f"raised {errno.ENOSPC}"


def test_a_port_without_a_listener_is_named(loop: Loop) -> None:
    port = fresh_port()
    assert ask_http(loop, port) == f"nothing listens on port {port}"


def test_a_service_that_never_answers_is_not_waited_for_beyond_the_time_out(
    loop: Loop, listener: socket.socket
) -> None:
    answering(listener, b"", keep_open=True)
    port = port_of(listener)
    assert ask_http(loop, port, timeout=0.05) == f"no answer on port {port} in time"


def test_an_answer_that_does_not_end_is_told_from_none(loop: Loop, listener: socket.socket) -> None:
    answering(listener, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", keep_open=True)
    port, told, asked = port_of(listener), queue.Queue[str](), list[HttpCheck]()
    loop.call_soon(lambda: asked.append(HttpCheck(loop, port, "/health", DEADLINE * 2, told.put)))
    wait_until(lambda: asked and asked[0]._received, what="the beginning of an answer")
    loop.call_soon(asked[0]._expired)
    assert told.get(timeout=DEADLINE) == f"the answer on port {port} did not end in time"


def test_a_connection_is_enough_for_a_tcp_check(loop: Loop, listener: socket.socket) -> None:
    port = port_of(listener)
    assert ask(loop, lambda answer: TcpCheck(loop, port, DEADLINE * 2, answer)) == ""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals")
def test_the_end_of_a_health_command_is_told_as_that_of_a_service(loop: Loop) -> None:
    words = ["/bin/sh", "-c", "kill -SEGV $$"]
    assert ask(loop, lambda answer: CommandCheck(loop, words, {}, "/", DEADLINE, answer)) == (
        "health command: killed by SIGSEGV"
    )


def test_a_listener_is_noticed_without_being_connected_to(loop: Loop) -> None:
    told: queue.Queue[str] = queue.Queue()
    port = fresh_port()
    listening: list[Listening] = []

    def begin() -> None:
        listening.append(Listening(loop))
        listening[0].when(port, lambda: told.put("listens"))
        told.put("waits")

    loop.call_soon(begin)
    assert told.get(timeout=DEADLINE) == "waits"
    with socket.create_server(("127.0.0.1", port)):
        assert told.get(timeout=DEADLINE) == "listens"


def test_a_listener_is_noticed_where_netlink_is_not_to_be_had(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden() -> socket.socket:
        raise PermissionError(1, "netlink is not allowed here")

    monkeypatch.setattr("bundlevisor.actors.probes.sock_diag.netlink", forbidden)
    test_a_listener_is_noticed_without_being_connected_to(loop)


def test_a_cancelled_wait_tells_nothing(loop: Loop) -> None:
    told: queue.Queue[str] = queue.Queue()
    port = fresh_port()

    def begin() -> None:
        listening = Listening(loop)
        first = listening.when(port, lambda: told.put("cancelled"))
        listening.when(port, lambda: told.put("kept"))
        listening.cancel(first)
        told.put("waits")

    loop.call_soon(begin)
    assert told.get(timeout=DEADLINE) == "waits"
    with socket.create_server(("127.0.0.1", port)):
        assert told.get(timeout=DEADLINE) == "kept"
    assert told.empty()


def test_readiness_is_asked_again_until_the_service_is_well(
    loop: Loop, listener: socket.socket
) -> None:
    answering(
        listener,
        b"HTTP/1.1 503 Wait\r\n\r\n",
        b"HTTP/1.1 503 Wait\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
    )
    told: queue.Queue[str] = queue.Queue()
    stats = ProbeStats()
    probing = Probing(loop, Listening(loop), Target(port_of(listener)), stats)
    probing.until_ready(
        Criterion(Condition.HEALTHY),
        patient(),
        lambda: told.put("well"),
        lambda: told.put("listens"),
    )
    assert told.get(timeout=DEADLINE) == "listens"
    assert told.get(timeout=DEADLINE) == "well"
    assert (stats.count, stats.failed) == (3, 2)
    assert stats.seconds_sum > stats.seconds_last > 0


def test_liveness_tells_what_is_news_until_it_is_stopped(
    loop: Loop, listener: socket.socket
) -> None:
    well = b"HTTP/1.1 200 OK\r\n\r\n"
    answering(listener, well, well, b"HTTP/1.1 500 No\r\n\r\n", b"", well, well)
    told: queue.Queue[str] = queue.Queue()
    stats = ProbeStats()
    probing = Probing(loop, Listening(loop), Target(port_of(listener)), stats)
    probing.watch(patient(interval_ms=10), told.put)
    assert [told.get(timeout=DEADLINE) for _ in range(4)] == [
        "",
        "HTTP 500",
        "the connection was closed unanswered",
        "",
    ]
    wait_until(lambda: stats.count >= 6, what="another check")
    probing.stop()
    assert told.empty()


@pytest.mark.parametrize(("elapsed", "expected"), [(0, 0.001), (0.1, 0.005), (2, 0.1), (1000, 0.5)])
def test_the_pause_between_two_questions_grows_with_the_time_waited(
    elapsed: float, expected: Any
) -> None:
    assert pause(elapsed, 0.5) == pytest.approx(expected)
