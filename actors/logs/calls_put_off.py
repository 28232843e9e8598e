"""Calls for a loop that may wait for a better moment, and others that may not, in one order."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    Call = Callable[[], object]
    PutOff = Callable[[Call], object]
    """Calls back in a moment of its choice, perhaps at once."""

    class Loop(Protocol):
        """The loop that does them."""

        def call_soon(self, callback: Call) -> None:
            """Call back in the order of the calls; safe from any thread."""


def at_once(call: Call) -> None:
    """Put nothing off."""
    call()


class CallsPutOff:
    """Any thread may use it. What is called for :meth:`now` comes after all that was put off."""

    def __init__(self, loop: Loop, put_off: PutOff) -> None:
        self._loop = loop
        self._put_off = put_off
        self._handing = threading.Lock()
        self._waiting: list[Call] = []

    def soon(self, call: Call) -> None:
        """Have the loop do this once the moment has come."""
        with self._handing:
            self._waiting.append(call)
            first = len(self._waiting) == 1
        if first:
            self._put_off(self._hand_over)

    def now(self, call: Call) -> None:
        """Have the loop do this, and before it what waits."""
        self._hand_over()
        self._loop.call_soon(call)

    def _hand_over(self) -> None:
        with self._handing:
            calls, self._waiting = self._waiting, []
            for call in calls:
                self._loop.call_soon(call)
