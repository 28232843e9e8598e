"""Who may start, who is blocked, who must stop first: pure decisions over the whole bundle.

All functions take a :class:`Tree`, a frozen picture of what the supervisor knows. Dependencies are
read from :mod:`manifest.graph`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from actors.lifecycle import LIVE, describe_exit
from actors.messages import Then
from actors.snapshot import ServiceView, State
from manifest.graph import Graph
from manifest.schema import Manifest, Supervision


class Order(msgspec.Struct, frozen=True):
    """A stop that has been decided; it is given as soon as no dependent has to go first."""

    then: Then
    reason: str


class Tree(msgspec.Struct, frozen=True):
    """All services at one moment: as their actors see them, and as the supervisor wants them."""

    graph: Graph
    views: dict[str, ServiceView]
    wanted: frozenset[str]
    """Services that are to run; the others are on demand, and nobody has asked yet."""
    missing: dict[str, tuple[str, ...]] = {}
    """Secrets without a value, by the service that is held back by them."""
    orders: dict[str, Order] = {}
    """Stops under way."""
    short: Mapping[str, str] = {}
    """Why a service got no port, by its id."""
    lacking: Mapping[str, tuple[str, ...]] = {}
    """Services without a port that another one's environment or arguments name, by its id."""


class Wait(msgspec.Struct, frozen=True):
    """Why a waiting service waits: what for, and whether in vain."""

    waiting_for: tuple[str, ...]
    blocked: bool
    message: str


def startable(tree: Tree, supervision: Supervision) -> list[str]:
    """Return the services to start now, dependencies first."""
    return [
        id_
        for id_ in tree.graph.start_order
        if tree.views[id_].state is State.WAITING
        and id_ in tree.wanted
        and id_ not in tree.orders
        and not _is_held_back(tree, id_)
        and not _must_wait_for_a_stop(tree, id_, supervision)
    ]


def _is_held_back(tree: Tree, id_: str) -> bool:
    """Whether there is anything in :func:`needs`; asked often, and mostly said by the first."""
    return (
        id_ in tree.missing
        or id_ in tree.lacking
        or any(_is_needed(tree, dependency) for dependency in tree.graph.dependencies(id_))
    )


def _is_needed(tree: Tree, dependency: str) -> bool:
    return not tree.views[dependency].ready or dependency in tree.orders


def needs(tree: Tree, id_: str) -> tuple[str, ...]:
    """Return what a service still waits for: dependencies that are not ready, services whose port
    it names and that have none, then secrets.

    A dependency that is about to be stopped does not count as ready.
    """
    dependencies = tuple(
        dependency for dependency in tree.graph.dependencies(id_) if _is_needed(tree, dependency)
    )
    lacking = tuple(other for other in tree.lacking.get(id_, ()) if other not in dependencies)
    return dependencies + lacking + tree.missing.get(id_, ())


def troubles(tree: Tree) -> dict[str, str]:
    """Say of each service that will not become ready by itself why its dependents are blocked."""
    found: dict[str, str] = {}
    if not tree.lacking and not any(map(_is_trouble, tree.views.values())):
        return found
    for id_ in tree.graph.start_order:
        view = tree.views[id_]
        if view.state is State.FAILED:
            code = view.exit_code
            if id_ in tree.short and not code:
                found[id_] = _without_port(tree, id_)
            else:
                found[id_] = f"{id_} failed ({describe_exit(code) if code else view.message})"
        elif view.state is State.STOPPED:
            found[id_] = f"{id_} is stopped"
        elif view.state is State.WAITING:
            dependencies = tree.graph.dependencies(id_)
            root = next((found[other] for other in dependencies if other in found), "")
            if root:
                found[id_] = root
            elif id_ in tree.lacking:
                found[id_] = _without_port(tree, tree.lacking[id_][0])
    return found


def _without_port(tree: Tree, id_: str) -> str:
    return f"{id_} has no port: {tree.short[id_]}"


def shown_anew(graph: Graph, before: ServiceView, after: ServiceView) -> tuple[str, ...]:
    """Return the other services of which :func:`wait` says something else after this change."""
    if _is_trouble(before) or _is_trouble(after):
        return graph.all_dependents(after.id)
    return graph.dependents(after.id) if before.ready != after.ready else ()


def _is_trouble(view: ServiceView) -> bool:
    return view.state in (State.FAILED, State.STOPPED)


def shown(tree: Tree, id_: str, blocking: Mapping[str, str]) -> ServiceView:
    """Return the view of a service that others see; ``blocking`` is what :func:`troubles` found."""
    view = tree.views[id_]
    if view.state is not State.WAITING:
        return view
    if id_ not in tree.wanted:
        message = view.skip_reason or "starts on demand"
        return msgspec.structs.replace(view, state=State.INACTIVE, skipped=True, message=message)
    waits = wait(tree, id_, blocking)
    return msgspec.structs.replace(
        view, message=waits.message, blocked=waits.blocked, waiting_for=waits.waiting_for
    )


def wait(tree: Tree, id_: str, blocking: Mapping[str, str]) -> Wait:
    """Say why a waiting service waits; ``blocking`` is what :func:`troubles` found."""
    waiting_for = needs(tree, id_)
    for dependency in tree.graph.dependencies(id_):
        if dependency in blocking:
            return Wait(waiting_for, True, f"blocked: {blocking[dependency]}")
    if id_ in tree.lacking:
        return Wait(waiting_for, True, f"blocked: {_without_port(tree, tree.lacking[id_][0])}")
    secrets = tree.missing.get(id_, ())
    if secrets:
        names = ", ".join(f"'{secret}'" for secret in secrets)
        plural = "secrets" if len(secrets) > 1 else "secret"
        return Wait(waiting_for, False, f"waiting for {plural} {names}")
    if waiting_for:
        return Wait(waiting_for, False, f"waiting for {', '.join(waiting_for)}")
    return Wait((), False, tree.views[id_].message or "about to start")


def _must_wait_for_a_stop(tree: Tree, id_: str, supervision: Supervision) -> bool:
    """Whether something that restarts together with this service is not down yet."""
    if supervision.strategy == "one_for_all":
        return bool(tree.orders)
    return bool(tree.orders) and any(
        other in tree.orders for other in tree.graph.all_dependents(id_)
    )


def ready_to_stop(tree: Tree) -> list[str]:
    """Return the services under orders to stop that no dependent under orders has to precede."""
    return [
        id_
        for id_ in tree.orders
        if not any(
            other in tree.orders and tree.views[other].state in LIVE
            for other in tree.graph.all_dependents(id_)
        )
    ]


def running_dependents(tree: Tree, id_: str) -> list[str]:
    """Return the dependents that have a process, in stop order (the last of a chain first)."""
    dependents = set(tree.graph.all_dependents(id_))
    return [
        other
        for other in tree.graph.stop_order
        if other in dependents and tree.views[other].state in LIVE
    ]


def users_of(manifest: Manifest, graph: Graph, secrets: Collection[str]) -> list[str]:
    """Return the services that receive one of these secrets, in stop order."""
    from manifest.secret_rules import receivers

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
        other for other in tree.graph.stop_order if other != id_ and tree.views[other].state in LIVE
    ]


def to_revive(tree: Tree, id_: str) -> list[str]:
    """Return what a start command has to wake, dependencies first: whatever rests for good."""
    resting = (State.INACTIVE, State.STOPPED, State.FAILED)
    return [
        other
        for other in tree.graph.start_order
        if (other == id_ and tree.views[other].state in (*resting, State.BACKOFF, State.STOPPING))
        or (other in tree.graph.all_dependencies(id_) and tree.views[other].state in resting)
    ]


def wanted_with_the_bundle(graph: Graph, on_demand: Iterable[str]) -> frozenset[str]:
    """Return the services that start with the bundle: all but those that nobody has asked for."""
    lazy = frozenset(on_demand)
    eager = [id_ for id_ in graph.start_order if id_ not in lazy]
    return frozenset(eager).union(*(graph.all_dependencies(id_) for id_ in eager))


def all_down(views: Iterable[ServiceView]) -> bool:
    """Whether no service has a process or will have one."""
    return all(view.state not in LIVE for view in views)
