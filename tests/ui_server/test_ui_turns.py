"""Requests are answered in turns, a few in each round of the loop; the health check needs none."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from bundlevisor.actors.ui_server.config import UiConfig
from bundlevisor.actors.ui_server.server import round_limit
from bundlevisor.actors.ui_server.server.connection_limit import ConnectionLimit
from bundlevisor.actors.ui_server.server.page_log import PageLog
from bundlevisor.actors.ui_server.server.port import Port
from bundlevisor.actors.ui_server.server.round_limit import AT_ONCE, RoundLimit
from tests.waiting import WITHIN

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def noting(order: list[int], number: int) -> Callable[[], bool]:
    def turn() -> bool:
        order.append(number)
        return True

    return turn


def test_a_round_has_so_many_turns_and_who_comes_first_is_first() -> None:
    async def run() -> None:
        queue, order = RoundLimit(), list[int]()
        for number in range(3 * AT_ONCE):
            queue.take(noting(order, number))
        seen = [0, len(order)]
        while len(order) < 3 * AT_ONCE:
            await asyncio.sleep(0)
            seen.append(len(order))
        assert order == list(range(3 * AT_ONCE))
        assert max(now - before for before, now in pairwise(seen)) == AT_ONCE
        await asyncio.sleep(0)
        queue.take(noting(order, -1))
        assert order[-1] == -1, "a round with room needs no waiting"

    asyncio.run(asyncio.wait_for(run(), WITHIN))


def test_a_turn_that_fails_holds_up_nobody_else() -> None:
    def fail() -> bool:
        raise RuntimeError("a fault of ours")

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        queue, order = RoundLimit(), list[int]()
        for number in range(AT_ONCE):
            queue.take(noting(order, number))
        for turn in (fail, fail, noting(order, -1)):
            queue.take(turn)
        while order[-1] != -1:
            await asyncio.sleep(0)
        queue.take(noting(order, -2))
        assert order[-1] == -2

    asyncio.run(asyncio.wait_for(run(), WITHIN))


def test_a_turn_that_nobody_waits_for_any_more_goes_to_the_next() -> None:
    async def run() -> None:
        queue, order = RoundLimit(), list[int]()
        for number in range(3 * AT_ONCE):
            gone = AT_ONCE <= number < 2 * AT_ONCE
            queue.take(noting(order, number) if not gone else lambda: False)
        await asyncio.sleep(0)
        assert len(order) == 2 * AT_ONCE

    asyncio.run(run())


def test_the_first_request_for_the_health_path_waits_for_no_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "index.html").write_bytes(b"index")
    (tmp_path / "well.txt").write_bytes(b"well")
    monkeypatch.setattr(round_limit, "AT_ONCE", 0)

    async def run() -> None:
        config = UiConfig(service_id="ui", root=str(tmp_path), port=0, health_path="/well.txt")
        port = Port(config, ConnectionLimit(100), RoundLimit(), PageLog(2))
        listener = socket.create_server(("127.0.0.1", 0))
        number = listener.getsockname()[1]
        await port.open(listener)
        streams = [await asyncio.open_connection("127.0.0.1", number) for _ in range(3)]
        waiting = asyncio.ensure_future(answer(streams[0], "/index.html"))
        await asyncio.wait_for(answer(streams[1], "/well.txt"), WITHIN)
        again = asyncio.ensure_future(answer(streams[1], "/well.txt"))
        await asyncio.wait_for(answer(streams[2], "/well.txt"), WITHIN)
        assert not waiting.done()
        assert not again.done()
        for task in (waiting, again):
            task.cancel()
        for _, writer in streams:
            writer.close()
            await writer.wait_closed()
        await port.close()

    async def answer(streams: Streams, path: str) -> None:
        reader, writer = streams
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        await reader.readexactly(4)

    asyncio.run(run())
