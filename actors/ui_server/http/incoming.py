"""Content on its way from one side to the other: taken as it comes, no faster than it is read."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

MOST_KEPT = 64 * 1024
"""Bytes that wait to be read; the sender is held back while there are more."""


class Incoming:
    """Filled by a connection, read by one reader; ``hold`` is told whether the sender has to wait.

    How it fails, the reader is told once all that came before has been read.
    """

    def __init__(self, hold: Callable[[bool], None]) -> None:
        self._hold = hold
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._waiter: asyncio.Future[None] | None = None
        self._error: Exception | None = None
        self.complete = False
        """Nothing more comes."""

    def feed(self, piece: bytes) -> None:
        """Take what has come."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > MOST_KEPT:
            self._hold(True)
        self.wake()

    def finish(self) -> None:
        """Nothing more comes: this was all."""
        self.complete = True
        self.wake()

    def fail(self, error: Exception) -> None:
        """Nothing more comes, though there should; the first reason is the one that is told."""
        self._error = self._error or error
        self.wake()

    def ready(self) -> bytes:
        """Return what is there, which may be nothing."""
        if not self._pieces:
            return b""
        content = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._clear()
        return content

    async def read(self) -> bytes:
        """Return what is there, waiting for something; b"" at the end. Raises how it failed."""
        while not self._pieces:
            if self.complete and self._error is None:
                return b""
            await self.news()
        return self.ready()

    async def news(self) -> None:
        """Wait until something has changed. Raises how it failed."""
        if self._error is not None:
            raise self._error
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter

    def wake(self) -> None:
        """Have the reader look: something has changed."""
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _clear(self) -> None:
        self._pieces.clear()
        self._size = 0
        self._hold(False)
