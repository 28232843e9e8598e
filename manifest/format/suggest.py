"""Near matches: which known word was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

_LONGEST = 80
"""Longer words than this are not compared: no name of a bundle is that long."""

NAMED = 20
"""How many words a sentence lists at most."""

COMPARED = 500
"""How many known words are compared at most, so that a monstrous bundle is checked in time."""


def near(word: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """Return the known words that resemble ``word``, the nearest first, at most ``limit``.

    A word resembles another one when at most a third of its letters differ (two that changed
    places count once), or when one contains the other and it has three letters or more. Case does
    not count.
    """
    if len(word) > _LONGEST:
        return []
    folded = word.lower()
    found = [
        (distance, candidate)
        for candidate in islice(known, COMPARED)
        if (distance := _unlikeness(folded, candidate.lower())) is not None
    ]
    return [candidate for _, candidate in sorted(found)[:limit]]


def hint(word: str, known: Iterable[str]) -> str:
    """Return `` (did you mean 'x'?)``, or nothing when no known word resembles this one."""
    matches = near(word, known)
    return f" (did you mean {quoted(matches, 'or')}?)" if matches else ""


def quoted(words: Iterable[str], last: str = "and") -> str:
    """Return ``'a', 'b' and 'c'``; of more than NAMED the first, and how many there are more."""
    names = [f"'{word}'" for word in words]
    if len(names) > NAMED:
        return f"{', '.join(names[:NAMED])} {last} {len(names) - NAMED} more"
    if len(names) < 2:
        return names[0] if names else ""
    return f"{', '.join(names[:-1])} {last} {names[-1]}"


def _unlikeness(word: str, candidate: str) -> int | None:
    allowed = max(1, max(len(word), len(candidate)) // 3)
    if len(candidate) > _LONGEST:
        return None
    if abs(len(word) - len(candidate)) <= allowed:
        distance = _edits(word, candidate, allowed)
        if distance <= allowed and distance < min(len(word), len(candidate)):
            return distance
    shorter, longer = sorted((word, candidate), key=len)
    return len(longer) if len(shorter) >= 3 and shorter in longer else None


def _edits(left: str, right: str, enough: int) -> int:
    """Count the edits between two words (optimal string alignment), at least up to ``enough``."""
    before = above = list(range(len(right) + 1))
    for row, letter in enumerate(left, 1):
        line = [row]
        for column, other in enumerate(right, 1):
            cost = min(above[column] + 1, line[-1] + 1, above[column - 1] + (letter != other))
            if row > 1 and column > 1 and letter == right[column - 2] and left[row - 2] == other:
                cost = min(cost, before[column - 2] + 1)
            line.append(cost)
        if min(line) > enough:
            return enough + 1
        before, above = above, line
    return above[-1]
