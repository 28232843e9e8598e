"""Whose request is read next: the server round by round, without a clock."""

from __future__ import annotations

import contextlib
import gc
import select
import socket
import sys
import weakref
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from waitress import wasyncore

from bundlevisor.control.http import places, waitress_settings
from bundlevisor.control.http.door import Door
from bundlevisor.control.http.memory import Memory
from bundlevisor.control.http.server import HttpServer
from bundlevisor.control.wire.closing import Closing
from bundlevisor.perf.attacker import ABORT
from tests.control.conftest import listen
from tests.control.fake_runtime import FakeRuntime
from tests.control.wire import TOKEN, status_of
from tests.waiting import WITHIN, wait_until

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
PLACES = 8


class ByHand:
    """A server whose rounds the test makes itself."""

    def __init__(self, runtime: FakeRuntime) -> None:
        self.listener = listen()
        words = Memory(runtime, Closing())
        self.http = HttpServer(
            lambda environ, start: [], Door(TOKEN), words, self.listener, runtime.fault, PLACES
        )
        self.clients: list[socket.socket] = []
        self.rounds = 0

    def connect(self, data: bytes = b"") -> socket.socket:
        client = socket.create_connection(self.listener.getsockname()[:2], timeout=WITHIN)
        self.clients.append(client)
        client.sendall(data)
        return client

    def go_round(self, count: int = 1) -> None:
        for _ in range(count):
            self.rounds += 1
            self.http.go_round(0)

    def answers(self, client: socket.socket, count: int = 1) -> bytes:
        """So many answers, however many rounds they take."""
        client.setblocking(False)
        found = b""

        def come() -> bool:
            nonlocal found
            self.go_round()
            with contextlib.suppress(BlockingIOError):
                found += client.recv(1 << 20)
            return found.count(b"HTTP/1.1 ") >= count

        wait_until(come, what=f"{count} answers")
        return found


@pytest.fixture
def by_hand(runtime: FakeRuntime) -> Iterator[ByHand]:
    made = ByHand(runtime)
    yield made
    made.http.abandon()
    for client in made.clients:
        client.close()
    assert runtime.faults == []


def has_been_sent(client: socket.socket) -> int:
    """How many answers have come by now."""
    client.setblocking(False)
    try:
        return client.recv(1 << 20).count(b"HTTP/1.1 200")
    except BlockingIOError:
        return 0


def test_one_request_of_many_is_read_in_a_turn_and_others_come_between(by_hand: ByHand) -> None:
    greedy = by_hand.connect(HEALTH * 50)
    first = by_hand.answers(greedy).count(b"HTTP/1.1 200")
    honest = by_hand.connect(HEALTH)
    by_hand.answers(honest)
    early = first + has_been_sent(greedy)
    assert early <= 2 * by_hand.rounds  # who has a turn in the round may have one when it is over
    assert early + by_hand.answers(greedy, 50 - early).count(b"HTTP/1.1 200") == 50


def test_all_who_wait_are_accepted_in_one_round(by_hand: ByHand) -> None:
    for _ in range(PLACES):
        by_hand.connect()
    by_hand.go_round()
    assert len(by_hand.http.active_channels) == PLACES


def test_who_comes_with_its_request_is_answered_however_many_come_after(by_hand: ByHand) -> None:
    by_hand.connect()
    honest = by_hand.connect(HEALTH)
    for _ in range(4 * PLACES):
        by_hand.connect()
    assert by_hand.answers(honest)


def test_new_ones_are_never_given_up_for_those_that_are_idle(
    by_hand: ByHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "GRACE_S", 0.0)
    for _ in range(PLACES):
        by_hand.answers(by_hand.connect(HEALTH))
    for _ in range(20):
        new = by_hand.connect()
        by_hand.go_round()
        new.sendall(HEALTH)
        assert by_hand.answers(new)


def test_who_does_not_read_loses_its_place_and_holds_nothing_up(
    by_hand: ByHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "GRACE_S", 0.0)
    for _ in range(PLACES):
        greedy = by_hand.connect()
        greedy.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            for _ in range(400):
                by_hand.go_round()
                greedy.send(HEALTH * 100)
    assert by_hand.answers(by_hand.connect(HEALTH))


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST /secrets HTTP/1.1\r\nHost: 127.0.0.1\r\n", 401),
        (b"POST /secrets HTTP/1.1\r\nHost: evil.org\r\n", 403),
        (b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n", 200),
        (b"POST /secrets HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\n", 401),
    ],
)
@pytest.mark.parametrize("body", [b"Content-Length: 1000000", b"Transfer-Encoding: chunked"])
def test_no_body_is_waited_for_without_the_token(
    by_hand: ByHand, head: bytes, body: bytes, status: int
) -> None:
    answer = by_hand.answers(by_hand.connect(head + body + b"\r\n\r\n"))
    assert status_of(answer) == status
    assert b"Connection: close" in answer


@pytest.mark.parametrize(
    "foreign", [b"Host: evil.org", b"Host: 127.0.0.1\r\nOrigin: http://evil.org"]
)
def test_who_is_turned_away_is_not_asked_for_a_body(by_hand: ByHand, foreign: bytes) -> None:
    token = b"\r\nAuthorization: Bearer " + TOKEN.encode()
    body = b"\r\nExpect: 100-continue\r\nContent-Length: 1000000\r\n\r\n"
    client = by_hand.connect(b"POST /secrets HTTP/1.1\r\n" + foreign + token + body)
    assert status_of(by_hand.answers(client)) == 403


@pytest.mark.parametrize(
    "data", [HEALTH * 3, HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + HEALTH]
)
def test_who_has_left_something_unread_is_not_kept(by_hand: ByHand, data: bytes) -> None:
    client = by_hand.connect()

    def is_accepted() -> bool:
        by_hand.go_round()
        return len(by_hand.http.active_channels) == 1

    wait_until(is_accepted, what="the connection to be accepted")
    (left,) = map(weakref.ref, by_hand.http.active_channels.values())
    client.sendall(data)
    client.shutdown(socket.SHUT_WR)

    def is_forgotten() -> bool:
        by_hand.go_round()
        gc.collect()
        return left() is None

    wait_until(is_forgotten, what="the end of the connection")


def test_who_has_reset_its_connection_is_not_read(
    by_hand: ByHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[object] = []
    monkeypatch.setattr(by_hand.http, "channel_class", lambda *made, **kept: read.append(made))

    def none_is_read() -> bool:
        read.clear()
        for _ in range(3 * PLACES):
            gone = by_hand.connect(HEALTH)
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
            gone.close()
        by_hand.go_round(3)
        return not read

    wait_until(none_is_read, what="a round after the resets have come")


class PollOfMacOS:
    """As poll_callback of xnu's sys_generic.c: who has no more to send has hung up."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._asked: dict[int, int] = {}

    def register(self, fd: int, events: int) -> None:
        self._asked[fd] = events
        self._poll.register(fd, events | select.POLLRDHUP)

    def poll(self, timeout: int) -> list[tuple[int, int]]:
        return [(fd, self._of_macos(fd, events)) for fd, events in self._poll.poll(timeout)]

    def _of_macos(self, fd: int, events: int) -> int:
        if not events & select.POLLRDHUP:
            return events
        return events & ~select.POLLRDHUP | select.POLLHUP | self._asked[fd] & select.POLLPRI


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux' poll(2) tells of such an end")
def test_who_has_sent_all_he_will_is_answered_on_macos_as_well(
    runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("POLLIN", "POLLOUT", "POLLPRI", "POLLHUP", "POLLERR", "POLLNVAL", "select")
    of_macos = {name: getattr(select, name) for name in names}
    monkeypatch.setattr(wasyncore, "select", SimpleNamespace(poll=PollOfMacOS, **of_macos))
    monkeypatch.setattr(waitress_settings, "sys", SimpleNamespace(platform="darwin"))
    by_hand = ByHand(runtime)
    client = by_hand.connect(HEALTH)
    by_hand.answers(client)
    client.sendall(HEALTH)
    client.shutdown(socket.SHUT_WR)
    assert by_hand.answers(client).startswith(b"HTTP/1.1 200")
    by_hand.http.abandon()
    client.close()


@pytest.mark.skipif(sys.platform == "win32", reason="its descriptors are no numbers from 0 on")
def test_a_connection_beyond_what_select_takes_is_served(
    runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the descriptors of a macOS runtime of some hundred services are."""
    from fcntl import F_DUPFD, fcntl
    from resource import RLIMIT_NOFILE, getrlimit, setrlimit

    monkeypatch.setattr(waitress_settings, "sys", SimpleNamespace(platform="darwin"))
    by_hand = ByHand(runtime)
    accept = by_hand.http.accept

    def high() -> tuple[socket.socket, object] | None:
        accepted = accept()
        if accepted is None:
            return None
        with accepted[0] as low:
            return socket.socket(fileno=fcntl(low.fileno(), F_DUPFD, 1024)), accepted[1]

    monkeypatch.setattr(by_hand.http, "accept", high)
    soft, hard = getrlimit(RLIMIT_NOFILE)
    setrlimit(RLIMIT_NOFILE, (max(soft, 2048), hard))
    try:
        client = by_hand.connect(HEALTH)
        by_hand.answers(client)  # what has come by the time it is accepted is waited for by nobody
        client.sendall(HEALTH)
        assert status_of(by_hand.answers(client)) == 200
    finally:
        by_hand.http.abandon()
        by_hand.clients[0].close()
        setrlimit(RLIMIT_NOFILE, (soft, hard))
