"""What is shown of the services: made anew where something has changed, and published."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from bundlevisor.actors.core import views
from bundlevisor.actors.core.dependencies import Tree
from bundlevisor.actors.core.desired import Desired
from bundlevisor.actors.core.report import LIVE, Report
from bundlevisor.actors.core.snapshot import Phase, Snapshot, Tally
from bundlevisor.manifest.plan.graph import Graph

if TYPE_CHECKING:
    from bundlevisor.actors.collaborators import Collaborators
    from bundlevisor.actors.ports.service_ports import Ports


class Picture:
    """Used by the supervisor only; everybody else reads the board."""

    def __init__(self, graph: Graph, collaborators: Collaborators) -> None:
        self._graph = graph
        self._board = collaborators.board
        self._emit = collaborators.emit
        self._now = collaborators.now
        self._shown = dict(self._board.snapshot.services)
        self._tally = Tally(self._shown.values())
        self._stale: set[str] = set(self._shown)
        """Services whose shown view has to be made anew."""
        self._unjudged: set[str] = set(self._shown)
        """Services that may be in the way of their dependents for another reason than before."""
        self._blocking: dict[str, str] = {}
        """Why dependents of these are blocked."""
        self._blocked: set[str] = set()

    def touch(self, ids: Iterable[str]) -> None:
        """Something that is shown of these services has changed."""
        self._stale.update(ids)

    def touch_all(self) -> None:
        """Something that any service may show has changed."""
        self._stale.update(self._shown)
        self._unjudged.update(self._shown)

    def wanted_anew(self, id_: str) -> None:
        """What is wanted of a service has changed: it, and who waits for it or it for, show so."""
        self._unjudged.add(id_)
        self._stale.update((id_, *self._graph.all_dependencies(id_)))
        self._stale.update(self._graph.dependents(id_))

    def reported(self, before: Report, after: Report, desired: Mapping[str, Desired]) -> None:
        """A service has reported."""
        self._stale.add(after.id)
        self._unjudged.add(after.id)
        if before.stage is not after.stage:
            self._stale.update(self._graph.dependents(after.id))
        if desired and (before.stage in LIVE) != (after.stage in LIVE):
            self._stale.update(self._graph.all_dependencies(after.id))

    def publish(self, tree: Tree, phase: Phase, ports: Ports) -> None:
        """Publish a new snapshot if it would be another one."""
        self._judge(tree)
        stale, self._stale = self._stale, set()
        before = self._board.snapshot
        if not stale and phase is before.phase:
            return
        for id_ in stale:
            view = views.shown(tree, self._shown[id_], self._blocking)
            view = msgspec.structs.replace(view, ports=ports.get(id_, {}))
            if view != self._shown[id_]:
                view = msgspec.structs.replace(view, updated_at=self._now())
                self._shown[id_] = view
                self._tally.see(view)
        self._board.publish(
            Snapshot(version=before.version + 1, phase=phase, services=dict(self._shown)),
            self._tally.decided(phase),
        )
        self._tell_of_blocked(stale)

    def _judge(self, tree: Tree) -> None:
        """See anew who is in whose way."""
        changed, self._unjudged = self._unjudged, set()
        new = views.new_obstacles(tree, self._blocking, changed)
        self._stale.update(new)
        for id_, reason in new.items():
            if reason:
                self._blocking[id_] = reason
            else:
                del self._blocking[id_]

    def _tell_of_blocked(self, ids: set[str]) -> None:
        for id_ in self._graph.in_start_order(ids):
            view = self._shown[id_]
            if view.blocked and id_ not in self._blocked:
                self._blocked.add(id_)
                self._emit("service_blocked", id_, reason=view.message)
            elif not view.blocked:
                self._blocked.discard(id_)
