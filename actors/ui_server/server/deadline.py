"""One time-out that a connection has at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Deadline:
    """What happens when something has not happened in time."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_running(self) -> bool:
        """Whether something is awaited."""
        return self._timer is not None

    def start(self, seconds: float, late: Callable[[], None]) -> None:
        """Call ``late`` after so many seconds; what was to be called before is not."""
        self.stop()
        self._timer = self._loop.call_later(seconds, late)

    def stop(self) -> None:
        """It has happened, or is awaited no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
