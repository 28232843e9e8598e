"""Looking for a manifest's pattern in a service's output, however the pattern was meant.

Patterns come from elsewhere, and those written for the Go runtime are in RE2's syntax. So the
engine is RE2 (package ``google-re2``): its time is linear in the text whatever the pattern, so it
needs no process and no time-out; 1 MiB of the worst text for ``(a+)+$`` takes it 2 ms, and Python's
own engine more than the age of the universe. Where there is no build of it (musl, at the time of
writing) a process of its own runs Python's engine, and is ended when it takes too long.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol


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
    """RE2, on the calling thread."""

    def __init__(self, pattern: str, re2: Any) -> None:
        self.wake: Callable[[], object] = _nobody
        from actors.edges.log_search import LineSearch

        self._lines = LineSearch(pattern, re2_search(pattern, re2))

    def feed(self, data: bytes) -> bool:
        """Look at more output; True when there has been a match."""
        return self._lines.feed(data)

    def close(self) -> None:
        """Nothing is held."""


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
    pattern that took too long, where that can happen.
    """
    try:
        import re2  # type: ignore[import-untyped]
    except ImportError:
        from actors.edges.log_match_process import ProcessMatcher

        return ProcessMatcher(pattern, report or _ignore)
    return Re2Matcher(pattern, re2)


def re2_search(pattern: str, re2: Any) -> Callable[[bytes], bool]:
    """Return a search with ``^`` and ``$`` at every line; raises BadPattern."""
    options = re2.Options()
    options.never_capture = True
    options.log_errors = False
    try:
        compiled = re2.compile(f"(?m){pattern}", options)
    except (re2.error, UnicodeEncodeError) as error:
        raise BadPattern(
            f"pattern {pattern!r} is not a regular expression: {_said(error)}"
        ) from None
    return partial(_found, compiled.search)


def _found(search: Callable[[bytes], object], text: bytes) -> bool:
    return search(text) is not None


def _said(error: Exception) -> str:
    said = error.args[0] if error.args else error
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def _nobody() -> None:
    """Nobody has asked to be woken."""


def _ignore(sentence: str) -> None:
    """Nobody has asked to be told."""
