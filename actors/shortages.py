"""The ports that services did not get: why, and who cannot start without them either."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from manifest.graph import Graph

Ports = dict[str, dict[str, int]]


class Shortage(msgspec.Struct, frozen=True):
    """What one service is short of."""

    names: tuple[str, ...]
    """Of the ports that it did not get."""
    why: str
    """In a few words, to be shown where others wait for it."""
    sentence: str
    """In full, to be shown where the service itself is asked about."""


class Shortages:
    """All of a bundle's shortages at the moment; only the supervisor uses them.

    ``users(service, port names)`` are the other services whose texts name one of these ports.
    """

    def __init__(
        self,
        found: dict[str, Shortage],
        graph: Graph,
        users: Callable[[str, tuple[str, ...]], frozenset[str]],
    ) -> None:
        self._found = dict(found)
        self._graph = graph
        self._users = users
        self._starving: set[str] = set()
        self.why: dict[str, str] = {}
        """Why a service has not all its ports, by its id."""
        self.lacking: dict[str, tuple[str, ...]] = {}
        """Services whose port another one names in vain, by the other's id."""
        self._draw()

    def sentence(self, id_: str) -> str:
        """Return what a service that is short of ports says about it."""
        return self._found[id_].sentence

    def starve(self, id_: str) -> str:
        """Note that a service failed for want of a port; return the reason."""
        self._starving.add(id_)
        return self.sentence(id_)

    def is_starving(self, id_: str) -> bool:
        """Whether a service failed for want of a port, and for nothing else."""
        return id_ in self._starving

    def starving(self) -> list[str]:
        """Return the services that failed for want of a port, dependencies first."""
        return [id_ for id_ in self._graph.start_order if id_ in self._starving]

    def behind(self, ids: Iterable[str]) -> list[str]:
        """Return the shortages that keep these services from starting, dependencies first."""
        wanted = {other for id_ in ids for other in (id_, *self.lacking.get(id_, ()))}
        return [id_ for id_ in self._graph.start_order if id_ in wanted and id_ in self._found]

    def concerned(self, id_: str) -> set[str]:
        """Return whose view a shortage changes: its service, who names its ports, who needs any."""
        users = {id_, *(user for user, others in self.lacking.items() if id_ in others)}
        return users.union(*(self._graph.all_dependents(user) for user in users))

    def note(self, id_: str, shortage: Shortage) -> None:
        """Say what a service is short of now."""
        self._found[id_] = shortage
        self._draw()

    def settle(self, id_: str, *, before: Ports, after: Ports) -> tuple[str, ...]:
        """A service has got its ports: forget its shortage, and note who gave a port up for it.

        Returns the names of the ports that it was short of.
        """
        names = self._found.pop(id_).names
        self._starving.discard(id_)
        for other, table in before.items():
            lost = {name: port for name, port in table.items() if name not in after[other]}
            if lost:
                earlier = self._found[other].names if other in self._found else ()
                self._found[other] = _given_away(other, lost, id_, earlier)
        self._draw()
        return names

    def _draw(self) -> None:
        self.why = {id_: shortage.why for id_, shortage in self._found.items()}
        lacking: dict[str, tuple[str, ...]] = {}
        for id_ in self._graph.start_order:
            if id_ in self._found:
                for user in self._users(id_, self._found[id_].names):
                    lacking[user] = (*lacking.get(user, ()), id_)
        self.lacking = lacking


def _given_away(id_: str, lost: dict[str, int], taker: str, earlier: tuple[str, ...]) -> Shortage:
    port = ", ".join(map(str, lost.values()))
    why = f"its port {port} was given to {taker}"
    return Shortage((*earlier, *lost), why, f"service '{id_}': {why} while {id_} was down")
