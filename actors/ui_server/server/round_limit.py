"""Requests are answered a few in each round of the loop, so that no round takes long.

With a thousand clients that ask without pause a round in which all are answered takes a tenth of a
second, and a new connection needs six or more of them to its answer: longer than a health check
waits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

AT_ONCE = 32
"""Answers begun in one round; a few milliseconds."""

Turn = Callable[[], bool]
"""Begins an answer; False when nobody waits for it any more."""


class RoundLimit:
    """One for a loop, and used on it only."""

    def __init__(self) -> None:
        self._waiting: deque[Turn] = deque()
        self._given = 0

    def take(self, turn: Turn) -> None:
        """Have the turn now when this round has room, else when it is this one's."""
        if self._given >= AT_ONCE or self._waiting:
            self._waiting.append(turn)
        elif turn():
            self._count()

    def _count(self) -> None:
        """Only a full round has to end: a few requests, in however many rounds, need no other."""
        self._given += 1
        if self._given == AT_ONCE:
            asyncio.get_running_loop().call_soon(self._next_round)

    def _next_round(self) -> None:
        self._given = 0
        try:
            while self._waiting and self._given < AT_ONCE:
                if self._waiting.popleft()():
                    self._count()
        finally:
            if self._waiting and self._given < AT_ONCE:  # a turn has failed: not those of others
                asyncio.get_running_loop().call_soon(self._next_round)
