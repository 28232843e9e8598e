"""/healthz before the server is there: byte for byte its answer, and nothing that is not its."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator

import pytest

from bundlevisor.actors.core.snapshot import Phase, State
from bundlevisor.actors.loop.reactor import Loop
from bundlevisor.control.boot.early_socket import BACKLOG
from bundlevisor.control.http.early_health import ANSWERS, LARGEST, PLACES, EarlyHealth, Held
from bundlevisor.control.http.health_words import HealthWords
from bundlevisor.control.http.server import ControlServer
from tests.control.conftest import listen
from tests.control.fake_runtime import FakeRuntime, snapshot_of, view
from tests.control.wire import TOKEN, read_answer, read_to_end, status_of
from tests.waiting import WITHIN

LINE = b"GET /healthz HTTP/1.1\r\n"
HOST = b"Host: 127.0.0.1\r\n"
PLAIN = LINE + HOST + b"\r\n"
DATE = re.compile(rb"Date: [^\r]*\r\n")


class Early:
    """A runtime whose server comes later: what it is before, and from :meth:`serve` on."""

    def __init__(self) -> None:
        self.runtime = FakeRuntime()
        self.faults: list[object] = []
        self.loop = Loop("events", lambda *fault: self.faults.append(fault))
        self.loop.start()
        self.listener = listen()
        self.listener.listen(BACKLOG)
        self.port = self.listener.getsockname()[1]
        self.early = EarlyHealth(self.loop, self.listener, HealthWords(self.runtime.board))
        self.early.begin()
        self.server: ControlServer | None = None

    def connect(self, sent: bytes = b"") -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port), timeout=WITHIN)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.sendall(sent)
        return client

    def settle(self) -> None:
        """Wait until all that was sent before has been looked at: one loop looks at everything.

        Within one turn of it a new connection may be looked at before an older one, so two of them
        come one after the other.
        """
        for _ in range(2):
            with self.connect(PLAIN) as client:
                read_answer(client)

    def serve(self) -> list[Held]:
        held = self.early.hand_over()
        self.server = ControlServer(self.runtime, TOKEN, self.listener, held)
        self.server.start()
        return held

    def close(self) -> None:
        if self.server is None:
            self.serve()
        assert self.server is not None
        self.server.stop(2)
        self.listener.close()
        self.loop.stop()


@pytest.fixture
def early() -> Iterator[Early]:
    made = Early()
    yield made
    made.close()
    assert made.faults == [] == made.runtime.faults


def undated(answer: bytes) -> bytes:
    assert len(DATE.findall(answer)) == 1
    return DATE.sub(b"", answer)


def is_silent(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        client.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    finally:
        client.settimeout(WITHIN)
    return False


@pytest.mark.parametrize(
    "headers",
    [
        HOST,
        b"Host: localhost:80\r\nConnection: keep-alive\r\nAccept: */*\r\nUser-Agent: node\r\n",
        b"host: [::1]:1\r\naccept-encoding: gzip, deflate\r\nsec-fetch-mode: cors\r\n",
        HOST + b"Authorization: Bearer " + TOKEN.encode() + b"\r\n",
        HOST + b"Authorization: Bearer wrong\r\n",
    ],
)
def test_the_answer_is_the_servers_byte_for_byte(early: Early, headers: bytes) -> None:
    asked = LINE + headers + b"\r\n"
    with early.connect(asked) as client:
        before = read_answer(client)
        assert [one.asked for one in early.serve()] == [1]
        client.sendall(asked)
        assert undated(read_answer(client)) == undated(before)
    assert status_of(before) == 200


@pytest.mark.parametrize(
    "asked",
    [
        LINE + b"Host: example.org\r\n\r\n",
        LINE + b"\r\n",
        LINE + HOST + b"Origin: http://example.org\r\n\r\n",
        LINE + HOST + HOST + b"\r\n",
        LINE + HOST + b"Connection: close\r\n\r\n",
        LINE + HOST + b"Content-Length: 2\r\n\r\n",
        LINE + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        LINE + HOST + b"Accept: a\r\n b\r\n\r\n",
        LINE + HOST + b"Accept: \xff\r\n\r\n",
        LINE + HOST + b"Accept:*/*\r\n\r\n",
        LINE + HOST + b"X-Other: 1\r\n\r\n",
        LINE + HOST + b"Accept: " + b"a" * LARGEST + b"\r\n\r\n",
        LINE + HOST + b"no header\r\n\r\n",
        b"GET /healthz?wait=1 HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /healthz HTTP/1.0\r\n" + HOST + b"\r\n",
        b"GET //healthz HTTP/1.1\r\n" + HOST + b"\r\n",
        b"get /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
        b"HEAD /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
        b"POST /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /status HTTP/1.1\r\n" + HOST + b"\r\n",
        b"\x16\x03\x01\r\n\r\n",
        PLAIN + PLAIN,
        PLAIN + b"GET /h",
    ],
)
def test_whatever_is_not_plain_is_the_servers(early: Early, asked: bytes) -> None:
    with early.connect(asked) as client:
        early.settle()
        assert is_silent(client)
        early.serve()
        with early.connect(asked) as later:
            for one in (client, later):
                one.shutdown(socket.SHUT_WR)
            assert DATE.sub(b"", read_to_end(client)) == DATE.sub(b"", read_to_end(later)) != b""


def test_a_request_that_comes_in_parts_is_the_servers(early: Early) -> None:
    with early.connect(PLAIN[:9]) as whole, early.connect(PLAIN[:9]) as later:
        early.settle()
        whole.sendall(PLAIN[9:])
        early.settle()
        assert is_silent(whole)
        early.serve()
        assert status_of(read_answer(whole)) == 200
        later.sendall(PLAIN[9:])
        assert status_of(read_answer(later)) == 200


def test_who_has_sent_all_it_will_is_answered_and_let_go(early: Early) -> None:
    with early.connect(PLAIN) as client:
        client.shutdown(socket.SHUT_WR)
        assert status_of(read_to_end(client)) == 200


def test_who_leaves_early_keeps_no_place(early: Early) -> None:
    for _ in range(2 * PLACES):
        early.connect().close()
        early.settle()
    with early.connect(PLAIN) as client:
        assert status_of(read_answer(client)) == 200


def test_who_leaves_makes_room_for_who_waits(early: Early) -> None:
    held = [early.connect(PLAIN) for _ in range(PLACES)]
    for client in held:
        read_answer(client)
    waiting = [early.connect(PLAIN) for _ in range(2)]
    for leaves, comes in zip(held, waiting, strict=False):
        leaves.close()
        assert status_of(read_answer(comes)) == 200
    assert len(early.serve()) == PLACES
    for client in (*held, *waiting):
        client.close()


def test_as_many_as_there_are_places_are_held_and_nobody_is_lost(early: Early) -> None:
    clients = [early.connect(b"" if n < PLACES else PLAIN) for n in range(200)]
    try:
        held = early.serve()
        assert len(held) <= PLACES
        for client in clients[:PLACES]:
            client.sendall(PLAIN)
        assert {status_of(read_answer(client)) for client in clients} == {200}
    finally:
        for client in clients:
            client.close()


def test_nobody_is_answered_for_ever(early: Early) -> None:
    with early.connect() as client:
        for _ in range(ANSWERS):
            client.sendall(PLAIN)
            assert status_of(read_answer(client)) == 200
        client.sendall(PLAIN)
        early.settle()
        assert is_silent(client)
        assert ANSWERS in [one.asked for one in early.serve()]
        assert status_of(read_answer(client)) == 200


def test_the_answer_is_about_what_the_board_shows(early: Early) -> None:
    with early.connect(PLAIN) as client:
        assert b'"status":"ok"' in read_answer(client)
        early.runtime.board.publish(snapshot_of(view("db", State.FAILED)))
        client.sendall(PLAIN)
        assert b'"status":"failed","services":1' in read_answer(client)
        early.runtime.board.publish(snapshot_of(view("db"), phase=Phase.STOPPING))
        client.sendall(PLAIN)
        assert status_of(read_answer(client)) == 503


def test_the_server_has_the_listener_for_itself(early: Early) -> None:
    assert early.serve() == []
    for _ in range(20):
        with early.connect(PLAIN) as client:
            assert status_of(read_answer(client)) == 200
    assert early.early.hand_over() == []


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        (b"/status", True),
        (b"/readyz", True),
        (b"/readyz?wait=9", False),
        (b"/readyz?wait=60&strict=1", False),
        (b"/readyz?wait=0", True),
        (b"/readyz?wait=0.2", True),
        (b"/readyz?wait=9&change=1", True),
        (b"/readyz?wait=many", True),
    ],
)
def test_the_server_is_wanted_by_who_does_not_wait_for_readiness(
    early: Early, path: bytes, wanted: bool
) -> None:
    with early.connect(b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"\r\n"):
        early.settle()
        assert early.early.wanted.is_set() is wanted
