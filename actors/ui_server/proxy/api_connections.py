"""The connections to the API: new ones, and those that are kept for the next request."""

from __future__ import annotations

import asyncio
import socket

from bundlevisor.actors.ui_server.http.flow import LAST_WORDS_SECONDS
from bundlevisor.actors.ui_server.proxy.api_connection import ApiConnection

KEPT_ALIVE = 4.0
"""Seconds that an idle connection to the API is kept: below the 5 s after which Node ends one."""


class ApiConnections:
    """Connections to wherever the API listens at the moment."""

    def __init__(self, connect_seconds: float) -> None:
        self._connect_seconds = connect_seconds
        self._idle: list[tuple[float, int, ApiConnection]] = []
        self._sweep: asyncio.TimerHandle | None = None

    def kept(self, port: int) -> ApiConnection | None:
        """Return one that was used for this port a moment ago; the API may have ended it by now."""
        while self._idle:
            since, its_port, connection = self._idle.pop()
            young = asyncio.get_running_loop().time() - since < KEPT_ALIVE
            if its_port == port and young and connection.lasts:
                return connection
            connection.abort()
        return None

    async def new(self, port: int) -> ApiConnection:
        """Connect; OSError, TimeoutError."""
        loop = asyncio.get_running_loop()
        client = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        client.setblocking(False)
        try:
            async with asyncio.timeout(self._connect_seconds):
                await loop.sock_connect(client, ("127.0.0.1", port))
        except BaseException:
            client.close()
            raise
        _, connection = await loop.create_connection(lambda: ApiConnection(client), sock=client)
        return connection

    def give_back(self, port: int, connection: ApiConnection) -> None:
        """Keep a connection whose answer has been read, if it lasts; else end it."""
        if connection.upgraded:
            connection.close()
            asyncio.get_running_loop().call_later(LAST_WORDS_SECONDS, connection.abort)
            return
        if not (connection.complete and connection.lasts):
            connection.abort()
            return
        loop = asyncio.get_running_loop()
        connection.ready()
        self._idle.append((loop.time(), port, connection))
        if self._sweep is None:
            self._sweep = loop.call_later(KEPT_ALIVE, self._end_old)

    def close(self) -> None:
        """End those that are kept."""
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        for _, _, connection in self._idle:
            connection.abort()
        self._idle.clear()

    def _end_old(self) -> None:
        loop = asyncio.get_running_loop()
        old = [kept for kept in self._idle if kept[0] + KEPT_ALIVE <= loop.time()]
        self._idle = [kept for kept in self._idle if kept not in old]
        for _, _, connection in old:
            connection.abort()
        self._sweep = None
        if self._idle:
            rest = self._idle[0][0] + KEPT_ALIVE - loop.time()
            self._sweep = loop.call_later(max(rest, 0.0), self._end_old)
