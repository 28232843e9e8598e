"""Who may start, who is blocked, who must stop first: pure decisions over the whole bundle.

All functions take a :class:`Tree`, a frozen picture of what the supervisor knows. Dependencies are
read from :mod:`bundlevisor.manifest.plan.graph`.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from bundlevisor.actors.core.desired import Desired
from bundlevisor.actors.core.report import (
    LIVE,
    RUNNING,
    Account,
    AfterStop,
    Report,
    Stage,
    StopCause,
)
from bundlevisor.actors.core.snapshot import ServiceView, State
from bundlevisor.actors.process.exit_reason import describe_exit
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
    desired: dict[str, Desired] = {}
    """What commands have asked for, as long as it is not so, or has to be kept so."""
    ending: frozenset[str] = frozenset()
    """Services whose present run has been ordered to end, told or not."""
    shortages: Shortages | None = None

    def is_down(self, id_: str) -> bool:
        """Whether a service is to stay down until somebody starts it."""
        desired = self.desired.get(id_)
        return desired is not None and desired.down


RESTING = (Stage.STOPPED, Stage.FAILED)
"""Stages of a service that starts only when it is told to."""


class Wait(msgspec.Struct, frozen=True):
    """Why a waiting service waits: what for, and whether in vain."""

    waiting_for: tuple[str, ...]
    blocked: bool
    message: str


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
        or bool(_lacking(tree, id_))
        or any(_is_needed(tree, dependency) for dependency in tree.graph.dependencies(id_))
    )


def _is_needed(tree: Tree, dependency: str) -> bool:
    return tree.reports[dependency].stage is not Stage.READY or dependency in tree.ending


def _lacking(tree: Tree, id_: str) -> tuple[str, ...]:
    return tree.shortages.lacking.get(id_, ()) if tree.shortages else ()


def needs(tree: Tree, id_: str) -> tuple[str, ...]:
    """Return what a service still waits for: dependencies that are not ready, services whose port
    it names and that have none, then secrets.

    A dependency that is about to be stopped does not count as ready.
    """
    dependencies = tuple(
        dependency for dependency in tree.graph.dependencies(id_) if _is_needed(tree, dependency)
    )
    lacking = tuple(other for other in _lacking(tree, id_) if other not in dependencies)
    return dependencies + lacking + tree.missing.get(id_, ())


def new_obstacles(tree: Tree, known: Mapping[str, str], changed: Iterable[str]) -> dict[str, str]:
    """Say of each service that will not become ready by itself why its dependents are blocked.

    That is one that has failed or is down for good, and, at any depth above it, each that has to
    be started before it can be ready. ``known`` is what was said before something became different
    for the ``changed`` ones: their report, what is wanted of them, or the ports that they lack.
    Only what is said differently now is returned, empty where nothing is in the way any more.
    """
    graph = tree.graph
    pending = {graph.position(id_): id_ for id_ in changed}
    order = sorted(pending)
    new: dict[str, str] = {}
    while order:
        id_ = pending.pop(heapq.heappop(order))
        obstacle = _obstacle(tree, id_, lambda other: new.get(other, known.get(other, "")))
        if obstacle == known.get(id_, ""):
            continue
        new[id_] = obstacle
        for dependent in graph.dependents(id_):
            if (position := graph.position(dependent)) not in pending:
                pending[position] = dependent
                heapq.heappush(order, position)
    return new


def _obstacle(tree: Tree, id_: str, below: Callable[[str], str]) -> str:
    """Return what :func:`new_obstacles` says of one service, given that of its dependencies."""
    report = tree.reports[id_]
    if tree.is_down(id_) or report.stage is Stage.STOPPED:
        return f"{id_} is stopped"
    if report.stage is Stage.FAILED:
        return _failure(tree, report)
    if report.stage in RUNNING and id_ not in tree.ending:
        return ""
    root = next(filter(None, map(below, tree.graph.dependencies(id_))), "")
    lacking = _lacking(tree, id_)
    if root or not (tree.shortages and lacking):
        return root
    return _without_port(tree.shortages, lacking[0])


def _failure(tree: Tree, report: Report) -> str:
    """Name the exit in short where that was the failure, and did not just follow from it."""
    code = report.exit_code if report.stop_cause is StopCause.EXITED else None
    if tree.shortages and report.id in tree.shortages.found and not code:
        return _without_port(tree.shortages, report.id)
    return f"{report.id} failed ({describe_exit(code) if code else report.message})"


def _without_port(shortages: Shortages, id_: str) -> str:
    return f"{id_} has no port: {shortages.found[id_].why}"


def shown(tree: Tree, view: ServiceView, blocking: Mapping[str, str]) -> ServiceView:
    """Return how others see a service; ``view`` is how they saw it last, ``blocking`` is what
    :func:`new_obstacles` has found.
    """
    report = tree.reports[view.id]
    changed = msgspec.structs.replace(
        view,
        state=_state(report),
        skipped=False,
        blocked=False,
        waiting_for=(),
        kept_down=tree.is_down(view.id),
        **{name: getattr(report, name) for name in Account.__struct_fields__},
    )
    if view.id in tree.ending and report.stage in RUNNING:
        return _shown_ending(tree, changed)
    if report.stage is not Stage.WAITING:
        return changed
    if view.id not in tree.wanted:
        message = view.skip_reason or "starts on demand"
        return msgspec.structs.replace(changed, state=State.INACTIVE, skipped=True, message=message)
    waits = why_waiting(tree, view.id, blocking)
    return msgspec.structs.replace(
        changed, message=waits.message, blocked=waits.blocked, waiting_for=waits.waiting_for
    )


def _state(report: Report) -> State:
    failing = report.stage is Stage.STOPPING and report.then is AfterStop.RETRY
    if failing and report.stop_cause is StopCause.UNHEALTHY:
        return State.UNHEALTHY
    return State(report.stage.value)


def _shown_ending(tree: Tree, view: ServiceView) -> ServiceView:
    """Show a service as stopping although it waits for its dependents to stop before it is told."""
    reason = tree.desired[view.id].reason
    first = ", ".join(_before(tree, view.id))
    message = f"{reason}; waiting for {first} to stop" if first else reason
    return msgspec.structs.replace(view, state=State.STOPPING, message=message, ready_at=None)


def why_waiting(tree: Tree, id_: str, blocking: Mapping[str, str]) -> Wait:
    """Say why a waiting service waits; ``blocking`` is what :func:`new_obstacles` has found."""
    waiting_for = needs(tree, id_)
    if id_ in blocking:
        return Wait(waiting_for, True, f"blocked: {blocking[id_]}")
    secrets = tree.missing.get(id_)
    if secrets:
        names = ", ".join(f"'{secret}'" for secret in secrets)
        plural = "secrets" if len(secrets) > 1 else "secret"
        return Wait(waiting_for, False, f"waiting for {plural} {names}")
    if waiting_for:
        return Wait(waiting_for, False, f"waiting for {', '.join(waiting_for)}")
    return Wait((), False, tree.reports[id_].message or "about to start")


def _must_wait_for_a_stop(tree: Tree, id_: str, supervision: Supervision) -> bool:
    """Whether something that restarts together with this service is not down yet."""
    if supervision.strategy == "one_for_all":
        return True
    return bool(_before(tree, id_))


def _before(tree: Tree, id_: str) -> list[str]:
    """Return the dependents that have to end before this service may, in start order."""
    return [other for other in tree.graph.all_dependents(id_) if other in tree.ending]


def may_be_told(tree: Tree, id_: str) -> bool:
    """Whether a run that is to end may be told so: no dependent has to end first."""
    return not _before(tree, id_)


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
