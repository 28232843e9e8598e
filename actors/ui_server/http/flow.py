"""What every connection has: a transport, and writers that wait while its buffer is full."""

from __future__ import annotations

import asyncio

LAST_WORDS_SECONDS = 10.0
"""In which the API takes what the client of a WebSocket had sent when it went away."""
READ_AT_ONCE = 64 * 1024
"""Bytes: asyncio has 256 KiB on POSIX, which malloc(3) maps and unmaps for every read: 12 us."""


class Flow(asyncio.Protocol):
    """A connection that can be written to no faster than the other side reads."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._full = False
        self._waiters: list[asyncio.Future[None]] = []
        self._is_held = False

    @property
    def address(self) -> str:
        """The other side's address."""
        peer = None if self.transport is None else self.transport.get_extra_info("peername")
        return str(peer[0]) if peer else "127.0.0.1"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - of a stream, always
        self.transport = transport
        if hasattr(transport, "max_size"):
            transport.max_size = READ_AT_ONCE

    def connection_lost(self, exc: BaseException | None) -> None:  # noqa: ARG002
        """Nobody needs to wait any more."""
        self.transport = None
        self._release()

    def pause_writing(self) -> None:
        """The buffer is full."""
        self._full = True

    def resume_writing(self) -> None:
        """The buffer has room again."""
        self._full = False
        self._release()

    def write(self, data: bytes) -> None:
        """Send without waiting; ConnectionResetError when the other side is gone."""
        if self.transport is None or self.transport.is_closing():
            raise ConnectionResetError("the other side has gone")
        self.transport.write(data)

    async def send(self, data: bytes) -> None:
        """Send, and wait while the other side reads too slowly; ConnectionResetError."""
        self.write(data)
        if self._full:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter
            if self.transport is None:
                raise ConnectionResetError("the other side has gone")

    def hold(self, held: bool) -> None:
        """Stop reading from the other side, or go on with it."""
        if held is self._is_held or self.transport is None:
            return
        self._is_held = held
        if held:
            self.transport.pause_reading()
        elif not self.transport.is_closing():
            self.transport.resume_reading()

    def close(self) -> None:
        """End when all is sent."""
        if self.transport is not None:
            self.transport.close()

    def abort(self) -> None:
        """End without a word; what is not sent is lost."""
        if self.transport is not None:
            self.transport.abort()

    def _release(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()
