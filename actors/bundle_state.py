"""What is wanted of the services of a bundle, and what they have reported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from bundlevisor.actors.collaborators import Plan
from bundlevisor.actors.core import dependencies, desired
from bundlevisor.actors.core.commanded import Change
from bundlevisor.actors.core.dependencies import Tree
from bundlevisor.actors.core.desired import Desired
from bundlevisor.actors.core.messages import Instruction
from bundlevisor.actors.core.report import LIVE, Report, Stage
from bundlevisor.actors.launch.inputs import StartInputs
from bundlevisor.actors.ports_in_force import PortsInForce
from bundlevisor.manifest.format.policy import Supervision

if TYPE_CHECKING:
    from bundlevisor.actors.collaborators import Vault


class BundleState:
    """Only the supervisor's own turns use it. What follows from it is decided by pure functions.

    Only services for which something may have changed are looked at: what a report costs depends
    on its neighbours in the graph, not on how many services there are.
    """

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
        self._missing: dict[str, tuple[str, ...]] | None = None
        self._hindered: dict[str, str] = {}
        self._ending: frozenset[str] = frozenset()
        self._live = 0
        self._may_be_told: set[str] = set()
        """Services for which an instruction may have become due."""
        self._may_start: set[str] = set()
        """Services that may have become startable."""
        self._lost: set[str] = set()
        """Services that are ready no more, or are to end."""

    @property
    def all_down(self) -> bool:
        """Whether no service has a process or will have one."""
        return not self._live

    @property
    def ending(self) -> frozenset[str]:
        """The services that are ending, or are about to: told or not."""
        return self._ending

    def want(self, ids: frozenset[str]) -> frozenset[str]:
        """Have these services run, as far as they can; return those that nobody wanted so far."""
        added = ids - self._wanted
        self._wanted |= added
        self._may_start |= added
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
        self._may_be_told.update(changed)
        self._may_start.update(changed)
        self._see_who_ends(changed)
        return changed

    def see(self, report: Report) -> Report:
        """Take in a report; return the one before."""
        id_, before = report.id, self.reports[report.id]
        self.reports[id_] = report
        self._live += (report.stage in LIVE) - (before.stage in LIVE)
        self._may_be_told.add(id_)
        if report.stage is not before.stage:
            self._may_start.update((id_, *self._graph.dependents(id_)))
        if before.stage is Stage.READY and report.stage is not Stage.READY:
            self._lost.add(id_)
        self._see_who_ends([id_])
        return before

    def give_up(self, id_: str) -> None:
        """Want nothing special of a service any more, unless that is to stay down."""
        wish = self.desired.get(id_)
        if wish is not None and not wish.down:
            del self.desired[id_]
            self._see_who_ends([id_])

    def look_at_secrets(self) -> None:
        """Find out again which secrets have no value."""
        self._missing = None
        self._may_start.update(self.with_secrets)

    def look_at_all(self) -> None:
        """Anything may have become due for any service, or what keeps it from starting is gone."""
        self._may_start.update(self.reports)
        self._may_be_told.update(self.reports)

    def due(self) -> Iterator[tuple[str, Instruction]]:
        """Yield what each service is to be told for what is wanted of it; forget what is settled.

        Reports may be replaced meanwhile.
        """
        concerned = self._may_be_told & self.desired.keys()
        self._may_be_told = set()
        if not concerned:
            return
        tree = self.tree()
        for id_ in reversed(self._graph.in_start_order(concerned)):
            report, wish = self.reports[id_], self.desired[id_]
            if desired.is_settled(wish, report):
                del self.desired[id_]
                continue
            instruction = desired.instruction(wish, report)
            if instruction is not None and (
                not desired.is_deferred(report) or dependencies.may_be_told(tree, id_)
            ):
                yield id_, instruction

    def startable(self, supervision: Supervision) -> list[str]:
        """Return the services to be started now, dependencies first."""
        among, self._may_start = self._may_start, set()
        return dependencies.startable(self.tree(), supervision, among) if among else []

    def overtaken(self) -> list[str]:
        """Return the services that must not be spawned, as what they need has been lost since."""
        lost, self._lost = self._lost, set()
        return dependencies.overtaken(self.tree(), lost) if lost else []

    def inputs(self, id_: str) -> StartInputs:
        """Return what a start is given; its secrets first, as a new value makes them former."""
        values = self._vault.values_for(id_)
        return StartInputs(self._ports.table, values, self._gpu, self._vault.former_for(id_))

    def tree(self) -> Tree:
        """Return all of it as the functions of ``core`` take it."""
        if self._missing is None:
            missing = ((id_, self._vault.missing(id_)) for id_ in self.with_secrets)
            self._missing = {id_: secrets for id_, secrets in missing if secrets}
            whys = ((id_, self._vault.hindrance(id_)) for id_ in self._missing)
            self._hindered = {id_: why for id_, why in whys if why}
        return Tree(
            self._graph,
            self.reports,
            self._wanted,
            self._missing,
            self._hindered,
            self.desired,
            self._ending,
            self._ports.shortages,
        )

    def _see_who_ends(self, ids: Iterable[str]) -> None:
        """Note whose end has been ordered, or has come; who waits for that may go on."""
        changed = [id_ for id_ in ids if self._is_ending(id_) != (id_ in self._ending)]
        if not changed:
            return
        self._ending ^= frozenset(changed)
        self._lost.update(changed)
        for id_ in changed:
            below = self._graph.all_dependencies(id_)
            self._may_be_told.update(below)
            self._may_start.update((*below, *self._graph.dependents(id_)))
        if not self._ending:  # until then services that restart together wait for all of them
            self.look_at_all()

    def _is_ending(self, id_: str) -> bool:
        wish = self.desired.get(id_)
        return wish is not None and desired.is_ending(wish, self.reports[id_])
