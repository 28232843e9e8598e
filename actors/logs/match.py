"""Looking for a manifest's pattern in a service's output, however the pattern was meant.

Patterns come from elsewhere, and those written for the Go runtime are in RE2's syntax. So the
engine is RE2 (package ``google-re2``): its time is linear in the text whatever the pattern; 1 MiB
of the worst text for ``(a+)+$`` takes it 2 ms, and Python's own engine more than the age of the
universe. A pattern whose program is large, or that turns out to be slow, goes on on a thread of its
own (:mod:`bundlevisor.actors.logs.match_thread`). What RE2 does not take (look-around), and
everything where there is no build of it (musl, at the time of writing), is searched by Python's
engine in a process of its own that is ended when it takes too long.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from bundlevisor.actors.logs.match_thread import SearchBeside

SMALL = 128
"""Instructions of a program that the log's thread tries itself: 0.1 s a block at the very worst."""
SLOW = 0.005
"""Seconds of the processor for one block of output; usual patterns take a hundredth of that."""


class BadPattern(ValueError):
    """The pattern cannot be compiled."""


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


class Re2Matcher:
    """RE2: on the calling thread for as long as that is quick, then beside it."""

    def __init__(self, pattern: str, re2: Any, report: Callable[[str], None]) -> None:
        self.wake: Callable[[], object] = _nobody
        from bundlevisor.actors.logs.line_search import LineSearch

        compiled = compile_re2(pattern, re2)
        self._pattern = pattern
        self._report = report
        self._lines = LineSearch(pattern, partial(_found, compiled.search))
        self._beside = None if compiled.programsize <= SMALL else self._go_beside()

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


def compile_pattern(pattern: str, report: Callable[[str], None] | None = None) -> Matcher:
    """Return a matcher for one incarnation. Raises BadPattern, whose text is a sentence.

    Imports RE2 on first use: only bundles with a ``log_match`` pay for it. ``report`` hears of a
    pattern that took too long and is given up.
    """
    report = report or _ignore
    try:
        import re2  # type: ignore[import-untyped]

        return Re2Matcher(pattern, re2, report)
    except ImportError:
        return _in_a_process(pattern, report)
    except BadPattern as refused:
        try:
            return _in_a_process(pattern, report)
        except BadPattern:
            raise refused from None


def _in_a_process(pattern: str, report: Callable[[str], None]) -> Matcher:
    from bundlevisor.actors.logs.match_process import ProcessMatcher

    try:
        return ProcessMatcher(pattern, report)
    except ValueError as refused:
        raise BadPattern(str(refused)) from None


def compile_re2(pattern: str, re2: Any) -> Any:
    """Return a pattern with ``^`` and ``$`` at every line; raises BadPattern."""
    options = re2.Options()
    options.never_capture = True
    options.log_errors = False
    try:
        return re2.compile(f"(?m){pattern}", options)
    except (re2.error, UnicodeEncodeError) as error:
        raise BadPattern(
            f"pattern {pattern!r} is not a regular expression: {_said(error)}"
        ) from None


def _found(search: Callable[[bytes], object], text: bytes) -> bool:
    return search(text) is not None


def _said(error: Exception) -> str:
    said = error.args[0] if error.args else error
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def _nobody() -> None:
    """Nobody has asked to be woken."""


def _ignore(sentence: str) -> None:
    """Nobody has asked to be told."""
