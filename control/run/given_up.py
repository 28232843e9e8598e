"""Work beside the run that leaves nothing half done when the runtime ends.

The process ends without waiting for its threads: what one of them was writing would stay.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType


class GivenUp(Exception):
    """The runtime ends: undo what is half done."""


class Work:
    """Done within a ``with`` block, on one thread, which asks now and then whether to go on."""

    def __init__(self) -> None:
        self._busy = threading.Lock()
        self._ended = threading.Event()

    def __enter__(self) -> Work:
        self._busy.acquire()
        try:
            self.check()
        except GivenUp:
            self._busy.release()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._busy.release()

    def check(self) -> None:
        """Raise GivenUp once the end has come."""
        if self._ended.is_set():
            raise GivenUp

    def end(self, patience: float) -> bool:
        """Have none begun any more; False when one is still being undone after so many seconds."""
        self._ended.set()
        done = self._busy.acquire(timeout=patience)
        if done:
            self._busy.release()
        return done
