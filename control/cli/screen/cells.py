"""How many columns of a terminal a text takes: letters of East Asia and pictures take two."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

WIDE = frozenset("WF")
"""East Asian widths (UAX #11) that take two columns."""


def cells(text: str) -> int:
    """Return how many columns a text takes."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(
        0 if combining(letter) else 2 if east_asian_width(letter) in WIDE else 1 for letter in text
    )


def shortened(text: str, room: int) -> str:
    """Return a text in at most so many columns, with ``...`` where it was cut."""
    if cells(text) <= room:
        return text
    end = "..."[:room]
    return _within(text, room - len(end)) + end


def padded(text: str, width: int) -> str:
    """Return a text with spaces behind it, in so many columns at least."""
    return text + " " * (width - cells(text))


def wrapped(text: str, width: int, first: str = "", then: str = "") -> list[str]:
    """Return a text as lines of at most so many columns, which begin with ``first`` and ``then``.

    As textwrap has it; where that, which counts letters, would be wrong, words (in Chinese whole
    sentences) are cut at any letter.
    """
    if cells(text) == len(text):
        return wrap(text, max(width, 1), initial_indent=first, subsequent_indent=then)
    width = max(width, cells(first) + 2, cells(then) + 2)  # one letter fits into each line
    lines, line, gap = [], first, ""
    for word in text.split():
        if gap and width - cells(line + gap) < cells(word) <= width - cells(then):
            lines.append(line)
            line, gap = then, ""
        rest = gap + word
        while cells(line + rest) > width:
            part = _within(rest, width - cells(line))
            lines.append((line + part).rstrip())
            line, rest = then, rest[len(part) :].lstrip()
        line, gap = line + rest, " "
    return [*lines, line]


def _within(text: str, room: int) -> str:
    return "".join(_fitting(text, room))


def _fitting(text: str, room: int) -> Iterator[str]:
    for letter in text:
        room -= cells(letter)
        if room < 0:
            return
        yield letter
