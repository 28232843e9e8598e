"""Who may start, what it still needs, who must stop first: pure decisions over the whole bundle.

All functions take a :class:`Tree`, a frozen picture of what the supervisor knows. Dependencies are
read from :mod:`bundlevisor.manifest.plan.graph`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

import msgspec

from bundlevisor.actors.core.desired import Desired
from bundlevisor.actors.core.report import LIVE, Report, Stage
from bundlevisor.manifest.format.policy import Supervision
from bundlevisor.manifest.format.schema import Manifest
from bundlevisor.manifest.plan.graph import Graph

if TYPE_CHECKING:
    from bundlevisor.actors.ports.shortages import Shortages


class Tree(msgspec.Struct, frozen=True):
    """All services at one moment: as their actors see them, and as the supervisor wants them."""

    graph: Graph
    reports: dict[str, Report]
    wanted: frozenset[str]
    """Services that are to run; the others are on demand, and nobody has asked yet."""
    missing: dict[str, tuple[str, ...]] = {}
    """Secrets without a value, by the service that is held back by them."""
    hindered: dict[str, str] = {}
    """Why they have none, by the same, where that is not for a person to give."""
    desired: dict[str, Desired] = {}
    """What commands have asked for, as long as it is not so, or has to be kept so."""
    ending: frozenset[str] = frozenset()
    """Services whose present run has been ordered to end, told or not."""
    shortages: Shortages | None = None

    def is_down(self, id_: str) -> bool:
        """Whether a service is to stay down until somebody starts it."""
        desired = self.desired.get(id_)
        return desired is not None and desired.down

    def lacking(self, id_: str) -> tuple[str, ...]:
        """Return the services that have no port although this one names it."""
        return self.shortages.lacking.get(id_, ()) if self.shortages else ()


def startable(tree: Tree, supervision: Supervision, among: Iterable[str]) -> list[str]:
    """Return which of these services are to be started now, dependencies first."""
    return [
        id_
        for id_ in tree.graph.in_start_order(among)
        if tree.reports[id_].stage is Stage.WAITING
        and id_ in tree.wanted
        and not tree.is_down(id_)
        and not _is_held_back(tree, id_)
        and not (tree.ending and _must_wait_for_a_stop(tree, id_, supervision))
    ]


def _is_held_back(tree: Tree, id_: str) -> bool:
    """Whether there is anything in :func:`needs`; asked often, and mostly said by the first."""
    return (
        id_ in tree.missing
        or bool(tree.lacking(id_))
        or any(_is_needed(tree, dependency) for dependency in tree.graph.dependencies(id_))
    )


def _is_needed(tree: Tree, dependency: str) -> bool:
    return tree.reports[dependency].stage is not Stage.READY or dependency in tree.ending


def overtaken(tree: Tree, lost: Iterable[str]) -> list[str]:
    """Return who is about to be spawned, and may not: of what it needs one of these was ``lost``,
    which is ready no more, or is to be stopped.
    """
    return [
        dependent
        for id_ in lost
        if _is_needed(tree, id_)
        for dependent in tree.graph.dependents(id_)
        if tree.reports[dependent].stage is Stage.STARTING and tree.reports[dependent].pid is None
    ]


def needs(tree: Tree, id_: str) -> tuple[str, ...]:
    """Return what a service still waits for: dependencies that are not ready, services whose port
    it names and that have none, then secrets.

    A dependency that is about to be stopped does not count as ready.
    """
    dependencies = tuple(
        dependency for dependency in tree.graph.dependencies(id_) if _is_needed(tree, dependency)
    )
    lacking = tuple(other for other in tree.lacking(id_) if other not in dependencies)
    return dependencies + lacking + tree.missing.get(id_, ())


def _must_wait_for_a_stop(tree: Tree, id_: str, supervision: Supervision) -> bool:
    """Whether something that restarts together with this service is not down yet."""
    if supervision.strategy == "one_for_all":
        return True
    return bool(ending_first(tree, id_))


def ending_first(tree: Tree, id_: str) -> list[str]:
    """Return the dependents that have to end before this service may, in start order."""
    return [other for other in tree.graph.all_dependents(id_) if other in tree.ending]


def may_be_told(tree: Tree, id_: str) -> bool:
    """Whether a run that is to end may be told so: no dependent has to end first."""
    return not ending_first(tree, id_)


def running_dependents(tree: Tree, id_: str) -> list[str]:
    """Return the dependents that have a process, in stop order (the last of a chain first)."""
    dependents = set(tree.graph.all_dependents(id_))
    return [
        other
        for other in tree.graph.stop_order
        if other in dependents and tree.reports[other].stage in LIVE
    ]


def users_of(manifest: Manifest, graph: Graph, secrets: Collection[str]) -> list[str]:
    """Return the services that receive one of these secrets, in stop order."""
    from bundlevisor.manifest.plan.secrets import receivers

    receiving = receivers(manifest, secrets)
    return [id_ for id_ in graph.stop_order if id_ in receiving]


def restart_group(tree: Tree, id_: str, supervision: Supervision) -> list[str]:
    """Return the others that restart together with a service, in stop order.

    The strategies are OTP's, with dependency in place of OTP's start order.
    """
    if supervision.strategy == "one_for_one":
        return []
    if supervision.strategy == "rest_for_one":
        return running_dependents(tree, id_)
    return [
        other
        for other in tree.graph.stop_order
        if other != id_ and tree.reports[other].stage in LIVE
    ]


def wanted_with_the_bundle(graph: Graph, on_demand: Iterable[str]) -> frozenset[str]:
    """Return the services that start with the bundle: all but those that nobody has asked for."""
    lazy = frozenset(on_demand)
    eager = [id_ for id_ in graph.start_order if id_ not in lazy]
    return frozenset(eager).union(*(graph.all_dependencies(id_) for id_ in eager))
