"""The API thread's imports give way to the services' start.

While one thread imports, every lock hand-over of another waits for a whole module to be read; a
spawn takes dozens of them. So between two modules the importing thread looks whether a service has
just become ready, was released or is being spawned, and lets that go first, for a bounded time in
all.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

BUDGET = 0.15
"""Seconds that a start may hold the API's imports up in all."""
STEP = 0.0005
"""Seconds between two looks."""


class ImportThrottle:
    """Finds nothing; asked before each import of the thread that entered it, it may wait.

    A finder by its one method: importlib.abc costs 10 ms.
    """

    def __init__(self) -> None:
        self._thread = 0
        self._until = 0.0
        self._spent = 0.0

    def hurry(self, seconds: float) -> None:
        """Say that the next ``seconds`` belong to a service. Any thread."""
        self._until = time.monotonic() + seconds

    def __enter__(self) -> None:
        self._thread = threading.get_ident()
        finders: list[Any] = sys.meta_path
        finders.insert(0, self)

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        finders: list[Any] = sys.meta_path
        finders.remove(self)

    def find_spec(self, _name: str, _path: object = None, _target: object = None) -> None:
        """Wait while a service is in a hurry; the other finders find the module."""
        if threading.get_ident() != self._thread:
            return
        while time.monotonic() < self._until and self._spent < BUDGET:
            time.sleep(STEP)
            self._spent += STEP
