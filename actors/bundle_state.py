"""What is wanted of the services of a bundle, and what they have reported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bundlevisor.actors.core import dependencies, desired
from bundlevisor.actors.core.collaborators import Plan, Vault
from bundlevisor.actors.core.commanded import Change
from bundlevisor.actors.core.dependencies import Tree
from bundlevisor.actors.core.desired import Desired
from bundlevisor.actors.core.messages import Instruction
from bundlevisor.actors.core.report import Report
from bundlevisor.actors.launch.inputs import StartInputs
from bundlevisor.actors.ports_in_force import PortsInForce


class BundleState:
    """Only the supervisor's own turns use it. What follows from it is decided by pure functions."""

    def __init__(self, plan: Plan, ids: Iterable[str], vault: Vault, ports: PortsInForce) -> None:
        self.reports = {id_: Report(id=id_) for id_ in ids}
        self.desired: dict[str, Desired] = {}
        self.with_secrets = [service.id for service in plan.manifest.services if service.secrets]
        """The services that list any."""
        self._wanted: frozenset[str] = frozenset()
        self._graph = plan.graph
        self._gpu = plan.gpu
        self._vault = vault
        self._ports = ports

    def want(self, ids: frozenset[str]) -> frozenset[str]:
        """Have these services run, as far as they can; return those that nobody wanted so far."""
        added = ids - self._wanted
        self._wanted |= added
        return added

    def change(self, change: Change) -> list[str]:
        """Want from now on what a command wants; return the services for which that is news."""
        changed = []
        for id_, wish in change.desired.items():
            if wish == self.desired.get(id_):
                continue
            self.desired.pop(id_, None)
            if wish is not None:
                self.desired[id_] = wish
            changed.append(id_)
        return changed

    def due(self) -> Iterator[tuple[str, Instruction]]:
        """Yield what each service is to be told for what is wanted of it; forget what is settled.

        Reports may be replaced meanwhile.
        """
        if not self.desired:
            return
        tree = self.tree()
        for id_, wish in list(self.desired.items()):
            report = self.reports[id_]
            if desired.is_settled(wish, report):
                del self.desired[id_]
                continue
            instruction = desired.instruction(wish, report)
            if instruction is not None and (
                not desired.is_deferred(report) or dependencies.may_be_told(tree, id_)
            ):
                yield id_, instruction

    def inputs(self, id_: str) -> StartInputs:
        """Return what a start is given; its secrets first, as a new value makes them former."""
        values = self._vault.values_for(id_)
        return StartInputs(self._ports.table, values, self._gpu, self._vault.former_for(id_))

    def ending(self) -> frozenset[str]:
        """Return the services that are ending, or are about to."""
        return dependencies.ending_services(self.desired, self.reports)

    def tree(self) -> Tree:
        """Return all of it as the functions of ``core`` take it."""
        missing = {
            id_: secrets for id_ in self.with_secrets if (secrets := self._vault.missing(id_))
        }
        return Tree(
            self._graph,
            self.reports,
            self._wanted,
            missing,
            self.desired,
            self.ending(),
            self._ports.shortages,
        )
