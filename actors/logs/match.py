"""Looking for a manifest's pattern in a service's output.

The engine is RE2 (:mod:`bundlevisor.manifest.format.pattern`), which plain text does without. A
pattern whose program is large, or that turns out to be slow, goes on on a thread of its own
(:mod:`bundlevisor.actors.logs.match_thread`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Protocol

    from bundlevisor.actors.logs.match_thread import SearchBeside

    class Matcher(Protocol):
        """What looks at an incarnation's output; it is fed everything from the first byte on.

        ``wake`` is called, from any thread, when a match becomes known between two feeds: a feed of
        nothing then returns it.
        """

        wake: Callable[[], object]

        def feed(self, data: bytes) -> bool:
            """Look at more output; True when there has been a match. Never blocks, never raises."""

        def close(self) -> None:
            """Let go of what the matcher holds."""


SMALL = 128
"""Instructions of a program that the log's thread tries itself: 0.1 s a block at the very worst."""
SLOW = 0.005
"""Seconds of the processor for one block of output; usual patterns take a hundredth of that."""


class PatternMatcher:
    """Searches for a pattern: on the calling thread while that is quick, then beside it."""

    def __init__(self, pattern: str, report: Callable[[str], None]) -> None:
        """``report`` hears of a pattern that took too long and is given up."""
        from bundlevisor.actors.logs.line_search import LineSearch
        from bundlevisor.manifest.format.pattern import compile_pattern, plain_text

        self.wake: Callable[[], object] = _nobody
        self._pattern = pattern
        self._report = report
        self._beside: SearchBeside | None = None
        plain = plain_text(pattern)
        if plain is not None:
            self._lines = LineSearch(pattern, partial(_contains, plain))
            return
        compiled = compile_pattern(pattern, by_line=True)
        self._lines = LineSearch(pattern, partial(_found, compiled.search))
        if compiled.programsize > SMALL:
            self._beside = self._go_beside()

    def feed(self, data: bytes) -> bool:
        """Look at more output; True when there has been a match."""
        if self._beside is not None:
            return self._beside.feed(data)
        began = time.thread_time()
        found = self._lines.feed(data)
        if not found and time.thread_time() - began > SLOW:
            self._beside = self._go_beside()
        return found

    def close(self) -> None:
        """End the thread, if there is one, after what it is at."""
        if self._beside is not None:
            self._beside.close()

    def _wake_up(self) -> None:
        self.wake()

    def _go_beside(self) -> SearchBeside:
        from bundlevisor.actors.logs.match_thread import SearchBeside

        return SearchBeside(self._pattern, self._lines.feed, self._wake_up, self._report)


class AnyOutput:
    """Matches the first byte."""

    def __init__(self) -> None:
        self.wake: Callable[[], object] = _nobody

    def feed(self, data: bytes) -> bool:
        """Look at more output; True when there was any."""
        return bool(data)

    def close(self) -> None:
        """Nothing is held."""


def _contains(plain: bytes, text: bytes) -> bool:
    return plain in text


def _found(search: Callable[[bytes], object], text: bytes) -> bool:
    return search(text) is not None


def _nobody() -> None:
    """Nobody has asked to be woken."""
