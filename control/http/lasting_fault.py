"""An error of the server's loop that comes back at once, and for as long as its cause lasts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

PAUSE_S = 0.05
"""So fast may it repeat."""
CALM_S = 1.0
"""Seconds without one after which it is over."""


class LastingFault:
    """Stands around each round, and lets no error out: told once, and once more when it is over.

    Another error than the one before is told as well.
    """

    def __init__(
        self,
        what: str,
        fault: Callable[[str, BaseException], None],
        *,
        now: Callable[[], float] = time.monotonic,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self._what = what
        self._fault = fault
        self._now = now
        self._pause = pause
        self._error: Exception | None = None
        self._times = 0
        self._calm_at = 0.0

    def __enter__(self) -> None:
        """Begin a round."""

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> bool:
        """End it; an Exception is taken, and followed by a pause."""
        if isinstance(error, Exception):
            self._failed(error)
        elif self._error and self._now() >= self._calm_at:
            if self._times > 1:
                self._fault(f"{self._what} works again; {self._times} times it failed", self._error)
            self._error = None
        return isinstance(error, Exception)

    def _failed(self, error: Exception) -> None:
        if repr(error) != repr(self._error):
            self._times = 0
            self._fault(self._what, error)
        self._error = error
        self._times += 1
        self._calm_at = self._now() + CALM_S
        self._pause(PAUSE_S)
