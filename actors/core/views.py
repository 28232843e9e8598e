"""How others see the services: what each waits for, and who stands in whose way. Pure.

All functions take the :class:`bundlevisor.actors.core.dependencies.Tree`.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from bundlevisor.actors.core.dependencies import Tree, ending_first, needs
from bundlevisor.actors.core.report import RUNNING, Account, AfterStop, Report, Stage, StopCause
from bundlevisor.actors.core.snapshot import ServiceView, State
from bundlevisor.actors.process.exit_reason import describe_exit

if TYPE_CHECKING:
    from bundlevisor.actors.ports.shortages import Shortages


class Wait(msgspec.Struct, frozen=True):
    """Why a waiting service waits: what for, and whether in vain."""

    waiting_for: tuple[str, ...]
    blocked: bool
    message: str


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
    lacking = tree.lacking(id_)
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
        return msgspec.structs.replace(changed, state=State.INACTIVE, message=message)
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
    first = ", ".join(ending_first(tree, view.id))
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
        why = f": {tree.hindered[id_]}" if id_ in tree.hindered else ""
        return Wait(waiting_for, False, f"waiting for {plural} {names}{why}")
    if waiting_for:
        return Wait(waiting_for, False, f"waiting for {', '.join(waiting_for)}")
    return Wait((), False, tree.reports[id_].message or "about to start")
