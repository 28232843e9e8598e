"""The content after the head of a request: taken as it comes, no faster than it is used."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

MOST_KEPT = 64 * 1024
"""Bytes that wait to be read; the sender is held back while there are more."""


class Body:
    """Filled by a connection, read by one reader.

    ``hold`` is told whether the sender has to wait, ``wanted`` is called when reading begins.
    """

    def __init__(self, hold: Callable[[bool], None], wanted: Callable[[], None]) -> None:
        self._hold = hold
        self._wanted: Callable[[], None] | None = wanted
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._unwanted = False
        self._waiter: asyncio.Future[None] | None = None
        self._error: ConnectionError | None = None
        self.complete = False
        """Nothing more comes."""

    @property
    def was_asked_for(self) -> bool:
        """Whether somebody has begun to read."""
        return self._wanted is None

    def feed(self, piece: bytes) -> None:
        """Take what has come."""
        if self._unwanted:
            return
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > MOST_KEPT:
            self._hold(True)
        self._wake()

    def finish(self) -> None:
        """Nothing more comes: this was all."""
        self.complete = True
        self._wake()

    def fail(self, error: ConnectionError) -> None:
        """Nothing more comes, though there should."""
        self._error = error
        self.finish()

    def discard(self) -> None:
        """Nobody reads it (any more): what comes is dropped."""
        self._unwanted = True
        self._pieces.clear()
        self._size = 0
        self._hold(False)

    async def read(self) -> bytes:
        """Return what is there, waiting for something; b"" at the end, ConnectionError."""
        if self._wanted is not None:
            self._wanted()
            self._wanted = None
        while not self._pieces:
            if self._error is not None:
                raise self._error
            if self.complete:
                return b""
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        content = b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        self._hold(False)
        return content

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
