"""What each command changes in what is wanted of the services: pure functions over the tree."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from bundlevisor.actors.core import dependencies, desired
from bundlevisor.actors.core.dependencies import Tree
from bundlevisor.actors.core.desired import NO_RUN, Desired
from bundlevisor.actors.core.report import LIVE, RESTING
from bundlevisor.manifest.format.policy import Supervision


class Change(msgspec.Struct, frozen=True):
    """What is wanted from now on of the services that a command concerns, by their ids."""

    desired: dict[str, Desired | None]
    affected: tuple[str, ...] = ()
    """The other services that it stops, starts or restarts, in that order."""
    after: int = NO_RUN
    """What was asked for is there with an incarnation later than this."""


def start(tree: Tree, id_: str) -> Change:
    """Have a service run, and all that it needs."""
    needed = (*tree.graph.all_dependencies(id_), id_)
    wishes = {
        other: desired.started(tree.desired.get(other), tree.reports[other], by_name=other == id_)
        for other in needed
    }
    woken = [
        other
        for other in needed[:-1]
        if other not in tree.wanted or tree.reports[other].stage in RESTING or tree.is_down(other)
    ]
    return Change(wishes, tuple(woken))


def stop(tree: Tree, id_: str) -> Change:
    """Have a service stay down; its dependents end first, and wait for it."""
    dependents = dependencies.running_dependents(tree, id_)
    renewal = renew(tree, dependents, f"stopping because {id_} is stopped")
    wishes = renewal.desired | {id_: desired.stopped("stopped by command")}
    return Change(wishes, tuple(dependents))


def restart(tree: Tree, id_: str, supervision: Supervision) -> Change:
    """Have a service run anew, and what its strategy restarts with it."""
    report = tree.reports[id_]
    started = start(tree, id_)
    if report.stage not in LIVE:
        return msgspec.structs.replace(started, after=report.incarnation)
    group = dependencies.restart_group(tree, id_, supervision)
    reason = "restarting by command"
    wanted = {other: wish for other, wish in (tree.desired | started.desired).items() if wish}
    renewal = renew(msgspec.structs.replace(tree, desired=wanted), group, reason)
    own = desired.restarted(report, reason)
    wishes = started.desired | renewal.desired | {id_: own}
    return Change(wishes, (*started.affected, *group), report.incarnation)


def renew(tree: Tree, ids: Iterable[str], reason: str, *, resetting: bool = False) -> Change:
    """Have these services run anew with what is new; who is stopped stays so."""
    wishes = {
        id_: desired.renewed(tree.desired.get(id_), tree.reports[id_], reason, resetting=resetting)
        for id_ in ids
    }
    return Change(wishes)


def stop_all(tree: Tree, reason: str) -> Change:
    """Have everything stay down, the dependents first."""
    return Change(dict.fromkeys(tree.graph.stop_order, desired.stopped(reason)))
