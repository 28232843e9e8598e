"""Words of a suite that name something: a wrong one is told at once, not waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundlevisor.manifest.format.suggest import hint

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


def check_word(kind: str, word: str, known: Collection[str]) -> None:
    """Raise ValueError with what was probably meant, unless the word is known."""
    if word not in known:
        listed = ", ".join(known) if len(known) <= 12 else f"{len(known)} others"
        raise ValueError(f"there is no {kind} '{word}'{hint(word, known)}; there are {listed}")


def check_list(name: str, words: Iterable[str]) -> None:
    """Raise TypeError for a text in place of a list of them: its letters would be taken."""
    if isinstance(words, str):
        raise TypeError(f"{name} must be a list, such as [{words!r}], not the text {words!r}")
