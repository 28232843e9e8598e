"""What secrets were before in this run: remembered in memory, never on disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bundlevisor.actors.launch.inputs import Concealed

FORMER = 8
FORMER_LENGTH = 64 * 1024
"""How many former values of a secret are remembered, and how many characters of them in all."""


class FormerValues:
    """A service may have kept an old value, and its output must not show that either.

    One thread at a time replaces values; any may ask.
    """

    def __init__(self) -> None:
        self._former: dict[str, tuple[str, ...]] = {}
        """The latest first."""

    def replace(self, present: Mapping[str, str], changed: Mapping[str, str]) -> None:
        """Remember what is about to be replaced, within bounds."""
        former = dict(self._former)
        for id_ in changed:
            before = (present.get(id_), *former.get(id_, ()))
            kept = [value for value in dict.fromkeys(before) if value and value != changed[id_]]
            former[id_] = _within_bounds(kept)
        self._former = former

    def of(self, ids: Iterable[str]) -> tuple[Concealed, ...]:
        """Return what these secrets were, by generations."""
        former = self._former
        listed = dict.fromkeys(ids)
        generations = (
            Concealed({id_: former[id_][age] for id_ in listed if len(former.get(id_, ())) > age})
            for age in range(FORMER)
        )
        return tuple(values for values in generations if values)


def _within_bounds(values: list[str]) -> tuple[str, ...]:
    """Return the first values, as many as may be remembered."""
    kept = values[:FORMER]
    while kept and sum(map(len, kept)) > FORMER_LENGTH:
        kept.pop()
    return tuple(kept)
