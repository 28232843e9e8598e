"""Deadlines of connections and how many there may be, on a server in this process."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bundlevisor.actors.ui_server.http.answer import Answer
from bundlevisor.actors.ui_server.http.request import Request
from bundlevisor.actors.ui_server.server import connection, idle_watch
from bundlevisor.actors.ui_server.server.connection_limit import ConnectionLimit
from bundlevisor.actors.ui_server.server.page_log import PageLog
from bundlevisor.actors.ui_server.server.round_limit import RoundLimit
from bundlevisor.actors.ui_server.server.served import Answered, Member
from tests.ui_server.conftest import read_all, until


class Served:
    """Answers when it has read the body."""

    def __init__(self, limit: ConnectionLimit | None = None, body: bytes = b"ok") -> None:
        self.limit = limit or ConnectionLimit(100)
        self.body = body
        self.log = PageLog(2)
        self.rounds = RoundLimit()
        self.connections: set[Member] = set()

    def is_urgent(self, request: Request) -> bool:
        return False

    def answer(self, request: Request, *, over: bool) -> Answered:
        return self._answer(request)

    async def _answer(self, request: Request) -> Answer:
        while request.body is not None and await request.body.read():
            pass
        return Answer(200, {}, self.body)


def in_process(
    use: Callable[[int], Awaitable[None]],
    served: Served | None = None,
) -> None:
    """Serve from a :class:`Connection` in this process, whose limits a test may lower."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        page, faults = served or Served(), list[dict[str, Any]]()
        loop.set_exception_handler(lambda _, fault: faults.append(fault))
        listening = await loop.create_server(lambda: connection.Connection(page), "127.0.0.1", 0)
        try:
            await use(listening.sockets[0].getsockname()[1])
        finally:
            listening.close()
            for one in list(page.connections):
                one.abort()
            await asyncio.sleep(0)
        assert faults == []

    asyncio.run(asyncio.wait_for(run(), 30))


def test_a_trickle_of_header_bytes_does_not_extend_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.3)

    taken: list[int] = []

    async def trickle(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
        sent = 0
        with contextlib.suppress(ConnectionError):  # it may be reset
            while not reader.at_eof():
                writer.write(b"a")
                await writer.drain()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(1), 0.02)
                sent += 1
        writer.close()
        taken.append(sent)

    def some_come() -> bool:
        in_process(trickle)
        return taken[-1] > 1

    until(some_come, "some bytes come while it waits for more")


def test_the_deadline_is_for_heads_only_and_for_each_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.3)

    async def slow_body(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(2):
            writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\n")
            for _ in range(6):
                writer.write(b"x")
                await asyncio.sleep(0.1)
            assert b"200 OK" in await reader.readuntil(b"ok")
        writer.write(b"GET / HTTP")
        assert await reader.read() == b"", "the third request never becomes complete"
        writer.close()

    in_process(slow_body)


@pytest.mark.parametrize("last", [b"", b"Connection: close\r\n"])
def test_who_does_not_read_his_answer_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch, last: bytes
) -> None:
    monkeypatch.setattr(idle_watch, "IDLE_SECONDS", 0.1)
    served = Served(body=bytes(16 * 1024 * 1024))

    async def unread(port: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + last + b"\r\n")
            for wanted in (1, 0):
                while len(served.connections) != wanted:
                    await asyncio.sleep(0.01)

    in_process(unread, served)


class Nowhere(asyncio.Transport):
    """Takes what is written and keeps nothing."""

    def write(self, data: object) -> None: ...

    def is_closing(self) -> bool:
        return False


def test_a_client_that_is_gone_before_its_answer_has_begun_leaves_nothing_behind() -> None:
    """What was never begun would say so in the log of the page."""

    async def run() -> None:
        served = Served(ConnectionLimit(100))
        gone = connection.Connection(served)
        gone.connection_made(Nowhere())
        gone.data_received(CLOSING % b"/")
        gone.connection_lost(None)
        await asyncio.sleep(0)
        assert not served.connections

    asyncio.run(run())
    gc.collect()


CLOSING = b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def test_clients_over_the_limit_get_a_503_and_the_health_check_its_answer(
    serving: Any, tmp_path: Path
) -> None:
    (tmp_path / "index.html").write_bytes(b"index")
    (tmp_path / "well.txt").write_bytes(b"well")
    ui = serving(tmp_path, max_connections=5, health_path="/well.txt")
    crowd = [ui.connect() for _ in range(5)]
    for client in crowd:
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 200")
    refused = ui.ask("/index.html")
    assert (refused.status, refused.json["code"]) == (503, "crowded")
    assert (refused.header("Retry-After"), refused.header("Connection")) == ("1", "close")
    page = ui.ask("/", headers={"Accept": "text/html"})
    assert page.status == 503
    assert b"too many connections" in page.body
    for path in (b"/well.txt", b"/well.txt?x=1"):
        assert ui.raw(CLOSING.replace(b"Connection: close\r\n", b"") % path).endswith(b"well")
    assert ui.ask("/well.txt", method="HEAD").status == 503
    foreign = CLOSING.replace(b"localhost", b"evil.example") % b"/well.txt"
    assert ui.raw(foreign).startswith(b"HTTP/1.1 403")
    with crowd.pop(0) as inside:
        inside.sendall(CLOSING % b"/index.html")
        assert read_all(inside).endswith(b"index"), "who is inside is served"
    until(lambda: ui.ask("/index.html").status == 200, "room for one more")
    for client in crowd:
        client.close()


def test_over_the_limit_the_longest_there_makes_room() -> None:
    async def flood(port: int) -> None:
        kept = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2 + 3 + 1)]
        longest, last = kept[2], kept[-1]
        assert (await longest[0].read()).startswith(b"HTTP/1.1 503")
        last[1].write(CLOSING % b"/")
        assert (await last[0].read()).startswith(b"HTTP/1.1 200")
        for _, writer in kept:
            writer.close()

    in_process(flood, Served(ConnectionLimit(2, reserved=3)))


def test_who_is_just_being_answered_makes_no_room_before_others() -> None:
    """As a health check that is passed on to an API, which takes its time."""
    asked, answer = asyncio.Event(), asyncio.Event()

    class Slow(Served):
        async def _answer(self, request: Request) -> Answer:
            asked.set()
            await answer.wait()
            return Answer(200, {}, b"well")

    async def flood(port: int) -> None:
        kept = [await asyncio.open_connection("127.0.0.1", port)]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(CLOSING % b"/well")
        await asked.wait()
        kept += [await asyncio.open_connection("127.0.0.1", port) for _ in range(5)]
        for longest in kept[1:3]:
            assert (await longest[0].read()).startswith(b"HTTP/1.1 503")
        answer.set()
        assert (await reader.read()).endswith(b"well")
        for _, one in (*kept, (reader, writer)):
            one.close()

    in_process(flood, Slow(ConnectionLimit(1, reserved=4)))


def test_who_has_had_its_last_answer_makes_room_without_a_word() -> None:
    """It is only read from still, lest the answer is lost: nothing can be sent to it."""

    async def flood(port: int) -> None:
        inside = await asyncio.open_connection("127.0.0.1", port)
        refused = await asyncio.open_connection("127.0.0.1", port)
        refused[1].write(b"nonsense\r\n\r\n")
        assert (await refused[0].read()).startswith(b"HTTP/1.1 400")
        last = await asyncio.open_connection("127.0.0.1", port)
        last[1].write(CLOSING % b"/")
        assert (await last[0].read()).startswith(b"HTTP/1.1 200")
        for _, writer in (inside, refused, last):
            writer.close()

    in_process(flood, Served(ConnectionLimit(1, reserved=1)))


def test_who_is_over_the_limit_and_asks_nothing_is_turned_away_soon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "OVER_SECONDS", 0.05)

    async def idle(port: int) -> None:
        first = await asyncio.open_connection("127.0.0.1", port)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HT")
        assert b"HTTP/1.1 503" in await reader.read()
        first[1].write(CLOSING % b"/")
        assert (await first[0].read()).startswith(b"HTTP/1.1 200")
        first[1].close()
        writer.close()

    in_process(idle, Served(ConnectionLimit(1)))
