"""The ports that services did not get: why, and who cannot start without them either. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from bundlevisor.manifest.plan.graph import Graph

Users = Callable[[str, tuple[str, ...]], frozenset[str]]
"""``users(service, port names)``: the other services whose texts name one of these ports."""


class Shortage(msgspec.Struct, frozen=True):
    """What one service is short of."""

    names: tuple[str, ...]
    """Of the ports that it did not get."""
    why: str
    """In a few words, to be shown where others wait for it."""
    sentence: str
    """In full, to be shown where the service itself is asked about."""


class Shortages(msgspec.Struct, frozen=True):
    """All of a bundle's shortages at one moment."""

    found: Mapping[str, Shortage] = {}
    """By the id of the service that is short."""
    lacking: Mapping[str, tuple[str, ...]] = {}
    """Services whose port another one names in vain, by the other's id."""

    def behind(self, graph: Graph, ids: Iterable[str]) -> list[str]:
        """Return the shortages that keep these services from starting, dependencies first."""
        wanted = {other for id_ in ids for other in (id_, *self.lacking.get(id_, ()))}
        return [id_ for id_ in graph.start_order if id_ in wanted and id_ in self.found]


def shortages_of(found: Mapping[str, Shortage], graph: Graph, users: Users) -> Shortages:
    """Return the shortages with all who are concerned."""
    lacking: dict[str, tuple[str, ...]] = {}
    for id_ in graph.start_order:
        if id_ in found:
            for user in users(id_, found[id_].names):
                lacking[user] = (*lacking.get(user, ()), id_)
    return Shortages(found, lacking)
