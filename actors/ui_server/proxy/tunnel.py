"""A WebSocket through the proxy: once the API has agreed, bytes in both directions.

Messages of any size, pings, close codes, subprotocols and extensions pass unread; the two ends
negotiated them with each other.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from bundlevisor.actors.ui_server.http.request import Request
from bundlevisor.actors.ui_server.http.upgrades import upgrade
from bundlevisor.actors.ui_server.proxy.api_connection import ApiConnection
from bundlevisor.actors.ui_server.proxy.forwarding import end_to_end
from bundlevisor.actors.ui_server.proxy.frames import GOING_AWAY, FrameCursor, close_frame

PIECE = 64 * 1024


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

    def __init__(self, request: Request, api: ApiConnection) -> None:
        self._request = request
        self._api = api
        self._tasks: set[asyncio.Task[None]] = set()
        self._directions: list[Direction] = []

    async def run(self) -> None:
        """Pass bytes until one side ends its connection and all that it said is passed on."""
        out = self._request.client.outgoing()
        out.lasts = False
        fields = end_to_end(self._api.headers.items()) + upgrade()
        out.begin(101, self._api.reason, fields)
        await out.flush()
        self._directions = [self._outward(), self._inward()]
        pumps = [asyncio.ensure_future(way.pump()) for way in self._directions]
        try:
            await _first_end(pumps)
        finally:
            for direction in self._directions:
                direction.end()
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    def going_away(self) -> None:
        """Say 1001 to both sides, each as soon as its last frame is complete."""
        for direction in self._directions:
            task = asyncio.ensure_future(direction.leave())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _outward(self) -> Direction:
        """From the client to the API."""
        reader = asyncio.StreamReader(limit=PIECE)
        self._request.client.take_over(reader)
        return Direction(reader, self._api.send, masked=True)

    def _inward(self) -> Direction:
        """From the API to the client."""
        reader = asyncio.StreamReader(limit=PIECE)
        self._api.take_over(reader)
        return Direction(reader, self._request.client.send, masked=False)


async def _first_end(pumps: list[asyncio.Task[None]]) -> None:
    """Wait for the end of a sender; who cannot be sent to may have said something before."""
    rest = set(pumps)
    while rest:
        done, rest = await asyncio.wait(rest, return_when=asyncio.FIRST_COMPLETED)
        if not all(isinstance(pump.exception(), ConnectionError) for pump in done):
            return
