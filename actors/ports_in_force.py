"""The ports of all services as a bundle runs: others are chosen for those lost or missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import msgspec

from bundlevisor.actors.collaborators import Plan
from bundlevisor.actors.ports import reallocation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundlevisor.actors.collaborators import PortChooser
    from bundlevisor.actors.ports.service_ports import Ports
    from bundlevisor.actors.ports.shortages import Shortage, Shortages


class PortsInForce:
    """What is in force at the moment; only the supervisor's own turns change it."""

    def __init__(self, plan: Plan, chooser: PortChooser, emit: Callable[..., None]) -> None:
        self._graph = plan.graph
        self._chooser = chooser
        self._emit = emit
        self._allotment = reallocation.allot(plan.ports, plan.shortages, plan.graph, chooser.users)

    @property
    def table(self) -> Ports:
        """Every service's ports, by their names."""
        return self._allotment.ports

    @property
    def shortages(self) -> Shortages | None:
        """Who did not get all that it asked for; None when everybody has."""
        return self._allotment.shortages

    @property
    def short(self) -> Mapping[str, Shortage]:
        """What services are short of, by their ids."""
        return self._allotment.short

    def of(self, id_: str) -> dict[str, int]:
        """Return the ports of a service, by their names."""
        return self._allotment.of(id_)

    def users(self, id_: str, names: tuple[str, ...]) -> frozenset[str]:
        """Return the other services whose environment or arguments name one of these ports."""
        return self._chooser.users(id_, names)

    def behind(self, ids: Iterable[str]) -> list[str]:
        """Return the shortages that keep these services from starting, dependencies first."""
        return self._allotment.behind(self._graph, ids)

    def conflict(self, ids: Iterable[str]) -> str:
        """Say why one of these services cannot be started; empty when nothing is missing."""
        return self._allotment.conflict(ids)

    def reset(self, ids: Iterable[str]) -> None:
        """Let these services lose ports as often as at first."""
        self._allotment = reallocation.reset(self._allotment, ids)

    def replace_lost(self, id_: str, names: tuple[str, ...]) -> str:
        """Choose other ports for those that others have taken; say why not, or nothing."""
        allotment = self._allotment
        refused = reallocation.refusal(allotment, id_, names)
        chosen = None if refused else self._chooser.move(id_, names, allotment.ports)
        if chosen is None:
            return refused or reallocation.exhausted(allotment, id_, names)
        self._allotment, moves = reallocation.moved(allotment, id_, names, chosen)
        for move in moves:
            self._emit("port_reassigned", id_, **msgspec.structs.asdict(move))
        return ""

    def find_missing(self, id_: str) -> tuple[str, ...]:
        """Choose anew for a service that is short of ports; return the names that it has now."""
        chooser = self._chooser
        chosen, still = chooser.complete(id_, self._allotment.ports)
        self._allotment, names = reallocation.searched(
            self._allotment, id_, chosen, still, self._graph, chooser.users
        )
        for name in names:
            self._emit("port_assigned", id_, name=name, port=self.of(id_)[name])
        return names
