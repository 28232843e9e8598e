"""WebSockets through the proxy, with a real client and a real server."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("site")
    (root / "index.html").write_bytes(b"index")
    return root


@pytest.fixture(scope="module")
def ui(module_serving: Any, root: Path, api: Any) -> Any:
    return module_serving(root, upstream=api.port)


def talk(
    ui: Any, conversation: Callable[[aiohttp.ClientWebSocketResponse], Awaitable[Any]], **how: Any
) -> Any:
    async def run() -> Any:
        path = how.pop("path", "/ws/echo")
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(
                f"http://127.0.0.1:{ui.port}{path}", autoping=False, max_msg_size=0, **how
            ) as socket,
        ):
            return await asyncio.wait_for(conversation(socket), 20)

    return asyncio.run(run())


def test_text_and_bytes_are_echoed(ui: Any) -> None:
    async def conversation(socket: aiohttp.ClientWebSocketResponse) -> None:
        for number in range(50):
            await socket.send_str(f"text {number} é")
            assert await socket.receive_str() == f"text {number} é"
            await socket.send_bytes(bytes([number]) * number)
            assert await socket.receive_bytes() == bytes([number]) * number

    talk(ui, conversation)


def test_a_message_of_many_megabytes_is_echoed(ui: Any) -> None:
    big = os.urandom(24 * MIB)

    async def conversation(socket: aiohttp.ClientWebSocketResponse) -> None:
        await socket.send_bytes(big)
        assert await socket.receive_bytes() == big

    talk(ui, conversation)


def test_what_the_api_says_first_arrives(ui: Any) -> None:
    async def conversation(socket: aiohttp.ClientWebSocketResponse) -> str:
        return await socket.receive_str()

    for _ in range(20):
        assert talk(ui, conversation, path="/ws?hello=1") == "hello"


def test_pings_reach_the_api_and_its_pongs_come_back(ui: Any) -> None:
    async def conversation(socket: aiohttp.ClientWebSocketResponse) -> None:
        await socket.ping(b"are you there")
        message = await socket.receive()
        assert (message.type, message.data) == (aiohttp.WSMsgType.PONG, b"are you there")

    talk(ui, conversation)


def test_the_close_code_of_each_side_reaches_the_other(ui: Any, api: Any, until: Any) -> None:
    async def closed_by_api(socket: aiohttp.ClientWebSocketResponse) -> None:
        await socket.send_str("close 4321")
        message = await socket.receive()
        assert (message.type, message.data, message.extra) == (
            aiohttp.WSMsgType.CLOSE,
            4321,
            "as you wish",
        )

    async def closed_by_client(socket: aiohttp.ClientWebSocketResponse) -> None:
        await socket.close(code=4567, message=b"bye")

    talk(ui, closed_by_api)
    talk(ui, closed_by_client)
    until(lambda: "ws 4567" in api.who_left(), "the API sees the client's code")


def test_the_two_ends_agree_on_a_subprotocol_and_on_compression(ui: Any) -> None:
    async def conversation(socket: aiohttp.ClientWebSocketResponse) -> tuple[str | None, int]:
        await socket.send_str("x" * 10000)
        assert await socket.receive_str() == "x" * 10000
        return socket.protocol, socket.compress

    chosen = talk(ui, conversation, path="/ws?deflated=1", protocols=("notes",), compress=15)
    assert chosen == ("notes", 15)
    assert talk(ui, conversation, protocols=("unknown",))[0] is None


def test_a_refused_websocket_is_the_apis_answer(ui: Any) -> None:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    answer = ui.ask("/ws?refuse=1", headers=upgrade)
    assert (answer.status, answer.json) == (401, {"error": "not you"})
    assert ui.ask("/api/x", headers=upgrade).json["target"] == "/api/x"


def test_a_foreign_page_gets_no_websocket(ui: Any) -> None:
    async def conversation(_socket: aiohttp.ClientWebSocketResponse) -> None:
        raise AssertionError("connected")

    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        talk(ui, conversation, origin="https://evil.example")
    assert refused.value.status == 403


def test_without_an_api_the_handshake_is_a_502(serving: Any, root: Path) -> None:
    ui = serving(root)

    async def conversation(_socket: aiohttp.ClientWebSocketResponse) -> None:
        raise AssertionError("connected")

    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        talk(ui, conversation)
    assert refused.value.status == 502


def test_a_client_that_vanishes_is_noticed_by_the_api(ui: Any, api: Any, until: Any) -> None:
    before = api.who_left().count("ws 1006")

    async def conversation(socket: aiohttp.ClientWebSocketResponse) -> None:
        await socket.send_str("x")
        await socket.receive_str()
        transport = socket.get_extra_info("socket")
        assert transport is not None
        socket._response.connection.transport.abort()  # type: ignore[union-attr]

    talk(ui, conversation)
    until(lambda: api.who_left().count("ws 1006") > before, "the API notices")


def test_an_api_that_is_killed_ends_the_websocket_and_the_next_one_works(
    serving: Any, root: Path, own_api: Any, until: Any
) -> None:
    ui = serving(root, upstream=own_api.port)

    async def killed(socket: aiohttp.ClientWebSocketResponse) -> None:
        await socket.send_str("x")
        await socket.receive_str()
        own_api.kill()
        message = await socket.receive()
        assert message.type is aiohttp.WSMsgType.CLOSED
        assert socket.close_code == 1006

    async def echoed(socket: aiohttp.ClientWebSocketResponse) -> str:
        await socket.send_str("again")
        return await socket.receive_str()

    talk(ui, killed)
    ui.process.set_upstream(own_api.start())
    until(lambda: ui.ask("/api/x").status == 200, "the new port is used")
    assert talk(ui, echoed) == "again"


def test_a_reader_that_stops_reading_holds_the_api_back(ui: Any, until: Any) -> None:
    import psutil

    def resident() -> int:
        return int(psutil.Process(ui.process.pid).memory_info().rss)

    async def conversation(socket: aiohttp.ClientWebSocketResponse) -> None:
        before = resident()
        transport = socket._response.connection.transport  # type: ignore[union-attr]
        assert transport is not None
        transport.pause_reading()
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 300:
                await asyncio.wait_for(socket.send_bytes(bytes(MIB)), 1)
                sent += 1
        assert sent < 300, "somebody holds it back"
        assert resident() - before < 30 * MIB
        transport.abort()

    talk(ui, conversation)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_stop_says_1001_to_both_sides(serving: Any, root: Path, api: Any, until: Any) -> None:
    ui = serving(root, upstream=api.port)
    before = api.who_left().count("ws 1001")

    async def conversation(socket: aiohttp.ClientWebSocketResponse) -> aiohttp.WSMessage:
        await socket.send_str("x")
        await socket.receive_str()
        os.kill(ui.process.pid, signal.SIGTERM)
        return await socket.receive()

    message = talk(ui, conversation)
    assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1001)
    assert ui.wait() == 0
    until(lambda: api.who_left().count("ws 1001") > before, "the API sees 1001")
