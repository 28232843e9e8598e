"""The end of connections on which nothing happens any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

IDLE_SECONDS = 75.0
"""From the end of an answer to the first byte of the next request; what of that answer has not
been read by then never will be."""


class IdleWatch:
    """One timer for all the requests of a connection: it looks when the last one ended."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        is_busy: Callable[[], bool],
        end: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._is_busy = is_busy
        self._end = end
        self._since = loop.time()
        self._timer = loop.call_later(IDLE_SECONDS, self._look)

    def touch(self) -> None:
        """Something has happened just now."""
        self._since = self._loop.time()

    def stop(self) -> None:
        """There is nothing to watch any more."""
        self._timer.cancel()

    def _look(self) -> None:
        rest = self._since + IDLE_SECONDS - self._loop.time()
        if self._is_busy():
            rest = IDLE_SECONDS
        if rest <= 0:
            self._end()
        else:
            self._timer = self._loop.call_later(rest, self._look)
