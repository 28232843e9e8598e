"""Requests are answered in turns, a few in each round of the loop; the health check needs none."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest
from aiohttp.web_server import Server

from bundlevisor.actors.ui_server.config import UiConfig
from bundlevisor.actors.ui_server.files.site import Site
from bundlevisor.actors.ui_server.proxy.proxy import Proxy
from bundlevisor.actors.ui_server.server import fair_turns
from bundlevisor.actors.ui_server.server.connection import Connection
from bundlevisor.actors.ui_server.server.connection_limit import ConnectionLimit
from bundlevisor.actors.ui_server.server.dispatch import Dispatch
from bundlevisor.actors.ui_server.server.fair_turns import AT_ONCE, FairTurns

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def test_a_round_has_so_many_turns_and_who_comes_first_is_first() -> None:
    async def run() -> None:
        queue, order = FairTurns(), list[int]()

        async def one(number: int) -> None:
            await queue.wait()
            order.append(number)

        tasks = [asyncio.ensure_future(one(number)) for number in range(3 * AT_ONCE)]
        seen = [0]
        while not all(task.done() for task in tasks):
            await asyncio.sleep(0)
            seen.append(len(order))
        assert order == list(range(3 * AT_ONCE))
        assert max(now - before for before, now in pairwise(seen)) <= AT_ONCE
        await asyncio.wait_for(one(-1), 5)

    asyncio.run(run())


def test_a_turn_that_nobody_waits_for_any_more_goes_to_the_next() -> None:
    async def run() -> None:
        queue = FairTurns()
        tasks = [asyncio.ensure_future(queue.wait()) for _ in range(3 * AT_ONCE)]
        await asyncio.sleep(0)
        for task in tasks[AT_ONCE : 2 * AT_ONCE]:
            task.cancel()
        await asyncio.wait_for(asyncio.gather(*tasks[2 * AT_ONCE :]), 5)
        assert all(task.cancelled() for task in tasks[AT_ONCE : 2 * AT_ONCE])

    asyncio.run(run())


def test_the_first_request_for_the_health_path_waits_for_no_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "index.html").write_bytes(b"index")
    (tmp_path / "well.txt").write_bytes(b"well")
    monkeypatch.setattr(fair_turns, "AT_ONCE", 0)

    async def run() -> None:
        loop = asyncio.get_running_loop()
        config = UiConfig(service_id="ui", root=str(tmp_path), port=0, health_path="/well.txt")
        proxy = Proxy(config)
        server = Server(
            Dispatch(config, Site(config.root, config.index), proxy), handler_cancellation=True
        )
        crowd = ConnectionLimit(100)
        listening = await loop.create_server(
            lambda: Connection(server, loop, crowd), "127.0.0.1", 0
        )
        port = listening.sockets[0].getsockname()[1]
        streams = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        waiting = asyncio.ensure_future(answer(streams[0], "/index.html"))
        await asyncio.wait_for(answer(streams[1], "/well.txt"), 10)
        again = asyncio.ensure_future(answer(streams[1], "/well.txt"))
        await asyncio.wait_for(answer(streams[2], "/well.txt"), 10)
        assert not waiting.done()
        assert not again.done()
        for task in (waiting, again):
            task.cancel()
        for _, writer in streams:
            writer.close()
            await writer.wait_closed()
        listening.close()
        await server.shutdown(0.1)
        await proxy.close()

    async def answer(streams: Streams, path: str) -> None:
        reader, writer = streams
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        await reader.readexactly(4)

    asyncio.run(run())
