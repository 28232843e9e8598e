"""Whose ports are which while a bundle runs: what a lost port, or a late one, changes. Pure.

The choice itself is the allocator's, which binds what it chooses; here stands when there is one to
be made, what follows from it, and what is said when there is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from bundlevisor.actors.ports.service_ports import Ports
    from bundlevisor.actors.ports.shortages import Shortage, Shortages, Users
    from bundlevisor.manifest.plan.graph import Graph

MOVES = 3
"""How often a service may be given other ports before it fails (the spec's number)."""


class Move(msgspec.Struct, frozen=True):
    """One port that has another number now."""

    name: str
    port: int
    previous: int


class Allotment(msgspec.Struct, frozen=True):
    """The ports of all services at one moment."""

    ports: Ports
    shortages: Shortages | None = None
    """Who did not get all that it asked for; None when everybody has."""
    moves: Mapping[str, int] = {}
    """How often a service has lost ports since it was last started by command."""

    @property
    def short(self) -> Mapping[str, Shortage]:
        """Return what services are short of, by their ids."""
        return self.shortages.found if self.shortages is not None else {}

    def of(self, id_: str) -> dict[str, int]:
        """Return the ports of a service, by their names."""
        return self.ports.get(id_, {})

    def behind(self, graph: Graph, ids: Iterable[str]) -> list[str]:
        """Return the shortages that keep these services from starting, dependencies first."""
        return self.shortages.behind(graph, ids) if self.shortages is not None else []

    def conflict(self, ids: Iterable[str]) -> str:
        """Say why one of these services cannot be started; empty when nothing is missing."""
        return next((self.short[id_].sentence for id_ in ids if id_ in self.short), "")


def allot(ports: Ports, found: Mapping[str, Shortage], graph: Graph, users: Users) -> Allotment:
    """Return the allotment that a bundle begins with."""
    return _with_shortages(Allotment(ports), found, graph, users)


def reset(allotment: Allotment, ids: Iterable[str]) -> Allotment:
    """Return the allotment with which these services may lose ports as often as at first."""
    if not allotment.moves:
        return allotment
    moves = {id_: count for id_, count in allotment.moves.items() if id_ not in set(ids)}
    return msgspec.structs.replace(allotment, moves=moves)


def refusal(allotment: Allotment, id_: str, names: tuple[str, ...]) -> str:
    """Say why a service that lost these ports gets no others; empty when it may have some."""
    if allotment.moves.get(id_, 0) < MOVES:
        return ""
    taken = _lost(allotment, id_, names)
    return f"port {taken} is taken by another program; {MOVES} other choices were too"


def exhausted(allotment: Allotment, id_: str, names: tuple[str, ...]) -> str:
    """Say why a service gets no other ports although it might have some."""
    taken = _lost(allotment, id_, names)
    return f"port {taken} is taken by another program, and its range has no free port"


def moved(
    allotment: Allotment, id_: str, names: tuple[str, ...], chosen: Ports
) -> tuple[Allotment, list[Move]]:
    """Return what is so when other ports were chosen, and what has become of those lost."""
    before, after = allotment.of(id_), chosen[id_]
    moves = {**allotment.moves, id_: allotment.moves.get(id_, 0) + 1}
    new = msgspec.structs.replace(allotment, ports=chosen, moves=moves)
    return new, [Move(name, after[name], before[name]) for name in names]


def searched(
    allotment: Allotment,
    id_: str,
    chosen: Ports,
    still: Shortage | None,
    graph: Graph,
    users: Users,
) -> tuple[Allotment, tuple[str, ...]]:
    """Return what is so after a search for what a service is short of, and the ports it has now.

    ``still`` is what it is short of all the same.
    """
    others = {other: one for other, one in allotment.short.items() if other != id_}
    if still is not None:
        return _with_shortages(allotment, others | {id_: still}, graph, users), ()
    completed = msgspec.structs.replace(allotment, ports=chosen)
    return _with_shortages(completed, others, graph, users), allotment.short[id_].names


def _with_shortages(
    allotment: Allotment, found: Mapping[str, Shortage], graph: Graph, users: Users
) -> Allotment:
    if not found:
        return msgspec.structs.replace(allotment, shortages=None)
    from bundlevisor.actors.ports.shortages import shortages_of

    return msgspec.structs.replace(allotment, shortages=shortages_of(found, graph, users))


def _lost(allotment: Allotment, id_: str, names: tuple[str, ...]) -> str:
    before = allotment.of(id_)
    return ", ".join(f"{before[name]} ('{name}')" for name in names)
