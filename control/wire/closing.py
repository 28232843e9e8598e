"""The end of the server, for those who keep a client waiting."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Closing:
    """Set once, when the server begins to stop; then every wait and stream ends at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun = threading.Event()
        self._interrupts: list[Callable[[], None]] = []

    @property
    def begun(self) -> bool:
        """Whether the server is stopping."""
        return self._begun.is_set()

    def wait(self, timeout: float) -> bool:
        """Return whether the server stops within ``timeout`` s."""
        return self._begun.wait(timeout)

    def begin(self) -> None:
        """End every wait and stream: calls what they registered."""
        with self._lock:
            self._begun.set()
            interrupts = list(self._interrupts)
        for interrupt in interrupts:
            interrupt()

    @contextmanager
    def interrupts(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """Have ``interrupt`` called (from another thread) if the server stops in this block."""
        with self._lock:
            self._interrupts.append(interrupt)
            begun = self._begun.is_set()
        if begun:
            interrupt()
        try:
            yield
        finally:
            with self._lock:
                self._interrupts.remove(interrupt)
