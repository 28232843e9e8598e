"""A WebSocket through the proxy: once the API has agreed, bytes in both directions.

Messages of any size, pings, close codes, subprotocols and extensions pass unread; the two ends
negotiated them with each other.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from aiohttp import ClientResponse
from aiohttp.http_writer import StreamWriter
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import StreamResponse

from bundlevisor.actors.ui_server.proxy.forwarding import end_to_end, upgrade
from bundlevisor.actors.ui_server.proxy.frames import GOING_AWAY, FrameCursor, close_frame

PIECE = 64 * 1024


class Raw:
    """Takes the place of aiohttp's WebSocket parser: bytes go to a reader that limits them."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Take bytes; never is the parser at its end, and nothing is left over."""
        self._reader.feed_data(data)
        return False, b""

    def feed_eof(self) -> None:
        """The connection has ended."""
        self._reader.feed_eof()


class Direction:
    """One way through the tunnel."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        write: Callable[[bytes], Awaitable[None]],
        *,
        masked: bool,
    ) -> None:
        self._reader = reader
        self._write = write
        self._goodbye = close_frame(GOING_AWAY, "the application is stopping", masked=masked)
        self._leaving = False
        self._over = False
        self.cursor = FrameCursor()

    async def pump(self) -> None:
        """Pass bytes on until the sender ends, or has answered our goodbye."""
        while data := await self._reader.read(PIECE):
            if not self._leaving or not self.cursor.at_boundary:
                self.cursor.advance(data)
                await self._write(data)
                if self._leaving:
                    await self.leave()

    async def leave(self) -> None:
        """End this direction with a close frame as soon as no frame is under way."""
        self._leaving = True
        if self.cursor.at_boundary and not self.cursor.closed and not self._over:
            self.cursor.closed = True
            with contextlib.suppress(ConnectionError):
                await self._write(self._goodbye)

    def end(self) -> None:
        """Write no more: a side has gone, and the answer to the client is complete."""
        self._over = True


class Tunnel:
    """One WebSocket that the API has agreed to."""

    def __init__(self, request: BaseRequest, answer: ClientResponse) -> None:
        self._request = request
        self._answer = answer
        self._tasks: set[asyncio.Task[None]] = set()
        self._directions: list[Direction] = []

    async def run(self) -> StreamResponse:
        """Pass bytes until one side ends its connection; then both are ended."""
        response = StreamResponse(
            status=101,
            reason=self._answer.reason,
            headers=end_to_end(self._answer.headers.items()) + upgrade(),
        )
        response.force_close()
        await response.prepare(self._request)
        self._directions = [self._outward(), self._inward(response)]
        pumps = [asyncio.ensure_future(way.pump()) for way in self._directions]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for direction in self._directions:
                direction.end()
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
        return response

    def going_away(self) -> None:
        """Say 1001 to both sides, each as soon as its last frame is complete."""
        for direction in self._directions:
            task = asyncio.ensure_future(direction.leave())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _outward(self) -> Direction:
        """From the client to the API."""
        reader = _reader(self._request.transport)
        self._request.protocol.set_parser(Raw(reader))  # type: ignore[arg-type]
        connection = self._answer.connection
        if connection is None or connection.protocol is None:
            raise ConnectionResetError("the API ended the WebSocket")
        writer = StreamWriter(connection.protocol, asyncio.get_running_loop())
        return Direction(reader, writer.write, masked=True)

    def _inward(self, response: StreamResponse) -> Direction:
        """From the API to the client."""
        connection = self._answer.connection
        if connection is None or connection.protocol is None:
            raise ConnectionResetError("the API ended the WebSocket")
        reader = _reader(connection.transport)
        connection.protocol.set_parser(Raw(reader), None)
        return Direction(reader, response.write, masked=False)


def _reader(transport: asyncio.Transport | None) -> asyncio.StreamReader:
    """A reader that stops its transport while nobody reads."""
    if transport is None:
        raise ConnectionResetError("the connection of a WebSocket has ended")
    reader = asyncio.StreamReader(limit=PIECE)
    reader.set_transport(transport)
    return reader
