"""Requests are answered a few in each round of the loop, so that no round takes long.

With a thousand clients that ask without pause a round in which all are answered takes a third of a
second, and a new connection needs six or more of them to its answer: longer than a health check
waits.
"""

from __future__ import annotations

import asyncio
from collections import deque

AT_ONCE = 32
"""Answers begun in one round; some ten milliseconds."""


class FairTurns:
    """One for a server; used on its loop only."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._given = 0

    async def wait(self) -> None:
        """Return at once when this round has room, else when it is this one's turn."""
        loop = asyncio.get_running_loop()
        if self._given < AT_ONCE and not self._waiting:
            self._give(loop)
            return
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.append(turn)
        await turn

    def _give(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._given:
            loop.call_soon(self._next_round, loop)
        self._given += 1

    def _next_round(self, loop: asyncio.AbstractEventLoop) -> None:
        self._given = 0
        while self._waiting and self._given < AT_ONCE:
            turn = self._waiting.popleft()
            if not turn.done():  # whose client is gone
                self._give(loop)
                turn.set_result(None)
