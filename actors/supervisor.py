"""The supervisor: owns the service actors, enforces dependency order and strategy, publishes.

It decides nothing by itself: who may start, who is blocked and who stops first are functions of
:mod:`actors.order`; what a service does after a failure is :mod:`actors.lifecycle`. Every change of
a service arrives as ``ServiceChanged``; the supervisor then releases what may start, gives the
stops that are due, and publishes the new snapshot. It never waits for anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
import pykka

from actors import order
from actors.collaborators import Collaborators, Plan
from actors.lifecycle import LIVE
from actors.messages import (
    CommandRestart,
    CommandStart,
    CommandStop,
    EngageActors,
    FailService,
    ForgiveService,
    Inputs,
    KillBundle,
    KillService,
    Message,
    Outcome,
    PortsMoved,
    PortsTaken,
    SecretsChanged,
    ServiceActorFailed,
    ServiceChanged,
    ServiceFailed,
    StartBundle,
    StartService,
    StopBundle,
    StopService,
    SystemResumed,
    Then,
)
from actors.order import Order, Tree
from actors.page import pages_by_api
from actors.snapshot import Phase, ServiceView, Snapshot, State

if TYPE_CHECKING:
    from actors.shortages import Shortages

ENGAGED_AT_ONCE = 2
"""Actors that are started per message: half a millisecond each."""
RESTING = (State.STOPPED, State.FAILED)
"""States of a service that holds no port and starts only when it is told to."""
MOVES = 3
"""How often a service may be given other ports before it fails (the spec's number)."""


class Supervisor(pykka.ThreadingActor):
    """One for the whole bundle."""

    use_daemon_thread = True

    def __init__(self, plan: Plan, collaborators: Collaborators) -> None:
        super().__init__()
        self._plan = plan
        self._to = collaborators
        self._phase = Phase.RUNNING
        self._ports = plan.ports
        self._children: dict[str, pykka.ActorRef[Any]] = {}
        self._views: dict[str, ServiceView] = dict(collaborators.board.snapshot.services)
        self._wanted: frozenset[str] = frozenset()
        self._orders: dict[str, Order] = {}
        self._stopping: set[str] = set()
        """Services that have been given the order to stop."""
        self._shown = dict(self._views)
        self._stale: set[str] = set(self._views)
        """Services whose shown view has to be made anew."""
        self._with_secrets = [service.id for service in plan.manifest.services if service.secrets]
        self._pages = pages_by_api(plan.manifest.services)
        self._engaging = False
        """Whether the actors of all services are being started, or have been."""
        self._moves: dict[str, int] = {}
        self._shortages = self._shortages_of(plan) if plan.shortages else None
        self._blocked: set[str] = set()
        self._group_restarts: tuple[float, ...] = ()

    def on_receive(self, message: Message) -> object:
        """Handle one message; an error of ours is reported and never ends the supervisor."""
        try:
            answer = HANDLERS[type(message)](self, message)
            self._proceed()
        except Exception as error:  # noqa: BLE001 - the supervisor must outlive its own errors
            self._to.fault(f"supervisor, {type(message).__name__}", error)
            self._to.emit("runtime_error", None, error=f"{type(error).__name__}: {error}")
            return None
        return answer

    # Commands

    def _start_bundle(self, _: StartBundle) -> None:
        graph = self._plan.graph
        lazy = [service.id for service in self._plan.manifest.services if service.on_demand]
        self._want(order.wanted_with_the_bundle(graph, lazy))

    def _want(self, ids: frozenset[str]) -> None:
        """Have these services run, as far as they can; what nobody wants does not fail either."""
        added = ids - self._wanted
        self._stale |= added
        self._wanted |= added
        for id_, reason in self._plan.unusable.items():
            if id_ in added:
                self._tell(id_, FailService(reason))
        for id_ in self._short():
            if id_ in added and id_ not in self._plan.unusable:
                self._starve(id_)

    def _command_start(self, message: CommandStart) -> Outcome:
        if self._phase is not Phase.RUNNING:
            return Outcome(conflict="the runtime is stopping")
        needed = (*self._plan.graph.all_dependencies(message.id), message.id)
        for id_ in needed:
            if id_ in self._plan.unusable:
                return Outcome(conflict=self._plan.unusable[id_])
        if self._shortages is not None:
            for id_ in self._shortages.behind(needed):
                self._find_ports(id_)
            for id_ in needed:
                if id_ in self._short():
                    return Outcome(conflict=self._shortages.sentence(id_))
        ids = order.to_revive(self._tree(), message.id)
        self._want(frozenset(needed))
        for id_ in ids:
            self._orders.pop(id_, None)
            self._stopping.discard(id_)
            self._moves.pop(id_, None)
            self._tell(id_, ForgiveService())
        return Outcome(tuple(id_ for id_ in ids if id_ != message.id))

    def _command_stop(self, message: CommandStop) -> Outcome:
        if self._phase is not Phase.RUNNING:
            return Outcome(conflict="the runtime is stopping")
        dependents = order.running_dependents(self._tree(), message.id)
        for id_ in dependents:
            self._order(id_, Then.WAIT, f"stopping because {message.id} is stopped")
        self._order(message.id, Then.STAY, "stopped by command")
        return Outcome(tuple(dependents))

    def _command_restart(self, message: CommandRestart) -> Outcome:
        if self._phase is not Phase.RUNNING:
            return Outcome(conflict="the runtime is stopping")
        view = self._views[message.id]
        if view.state not in LIVE:
            return self._command_start(CommandStart(message.id))
        group = order.restart_group(self._tree(), message.id, self._plan.manifest.supervision)
        for id_ in (*group, message.id):
            self._order(id_, Then.WAIT, "restarting by command")
        return Outcome(tuple(group))

    def _secrets_changed(self, message: SecretsChanged) -> Outcome:
        """Restart what runs with an old value, and give another chance to what failed with it."""
        if self._phase is not Phase.RUNNING:
            return Outcome(conflict="the runtime is stopping")
        self._stale.update(self._with_secrets)
        users = order.users_of(self._plan.manifest, self._plan.graph, message.changed)
        affected = [id_ for id_ in users if self._views[id_].state in LIVE]
        for id_ in affected:
            self._order(id_, Then.WAIT, "restarting with a new secret")
        for id_ in users:
            if self._views[id_].state in (State.FAILED, State.BACKOFF):
                self._tell(id_, ForgiveService())
        return Outcome(tuple(affected))

    def _stop_bundle(self, message: StopBundle) -> None:
        if self._phase is not Phase.RUNNING:
            return
        self._phase = Phase.STOPPING
        for id_ in self._plan.graph.stop_order:
            self._order(id_, Then.STAY, message.reason)

    def _kill_bundle(self, _: KillBundle) -> None:
        self._phase = Phase.STOPPING
        for id_ in self._plan.graph.stop_order:
            if id_ in self._children:
                self._tell(id_, KillService())

    # Reports of the services

    def _changed(self, message: ServiceChanged) -> None:
        view = message.view
        self._see(view)
        if view.pid is not None and not self._engaging:
            self._engaging = True
            self.actor_ref.tell(EngageActors())
        stop = self._orders.get(view.id)
        if stop is None or view.state in LIVE:
            return
        if stop.then is not Then.STAY or view.state is State.STOPPED:
            del self._orders[view.id]
            self._stopping.discard(view.id)

    def _failed(self, message: ServiceFailed) -> None:
        """Apply the strategy: others may have to restart with the one that failed."""
        supervision = self._plan.manifest.supervision
        group = order.restart_group(self._tree(), message.id, supervision)
        if not group or self._phase is not Phase.RUNNING:
            return
        now = self._to.monotonic()
        period = supervision.period_ms / 1000
        recent = tuple(t for t in self._group_restarts if now - t < period)
        if len(recent) >= supervision.intensity:
            reason = (
                f"gave up: {message.reason}; its group was restarted {len(recent)} times "
                f"within {period:g} s"
            )
            self._tell(message.id, FailService(reason))
            return
        self._group_restarts = (*recent, now)
        for id_ in group:
            self._order(id_, Then.WAIT, f"restarting with {message.id} ({message.reason})")

    def _ports_taken(self, message: PortsTaken) -> None:
        moves = self._moves.get(message.id, 0)
        before = self._ports[message.id]
        taken = ", ".join(f"{before[name]} ('{name}')" for name in message.names)
        if moves >= MOVES:
            reason = f"port {taken} is taken by another program; {MOVES} other choices were too"
            self._tell(message.id, FailService(reason))
            return
        ports = self._to.chooser.move(message.id, message.names, self._ports)
        if ports is None:
            reason = f"port {taken} is taken by another program, and its range has no free port"
            self._tell(message.id, FailService(reason))
            return
        self._moves[message.id] = moves + 1
        self._ports = ports
        for name in message.names:
            self._to.emit(
                "port_reassigned",
                message.id,
                name=name,
                port=ports[message.id][name],
                previous=before[name],
            )
        self._render_anew(message.id, message.names)

    def _render_anew(self, id_: str, names: tuple[str, ...]) -> None:
        """Restart what runs with the old number of a port that has another one now."""
        users = self._to.chooser.users(id_, names)
        self._tell_pages(id_)
        for user in self._plan.graph.stop_order:
            if user in users and self._views[user].state in LIVE:
                self._order(user, Then.WAIT, f"restarting because a port of {id_} moved")

    # Ports that a service did not get

    def _shortages_of(self, plan: Plan) -> Shortages:
        from actors.shortages import Shortages

        return Shortages(plan.shortages, plan.graph, self._to.chooser.users)

    def _short(self) -> Mapping[str, str]:
        return self._shortages.why if self._shortages is not None else {}

    def _starve(self, id_: str) -> None:
        """Fail a service that has no port; it comes back when one is found."""
        if self._shortages is not None and id_ in self._shortages.why:
            reason = self._shortages.starve(id_)
            self._tell(id_, FailService(reason))
            self._see(msgspec.structs.replace(self._views[id_], state=State.FAILED, message=reason))

    def _pass_ports_on(self, ended: str) -> None:
        """A service has come to rest: who failed for want of a port may get one of its ports."""
        if self._phase is not Phase.RUNNING or not self._ports.get(ended):
            return
        for id_ in self._shortages.starving() if self._shortages is not None else ():
            if id_ != ended and self._views[id_].state is State.FAILED:
                self._find_ports(id_)

    def _find_ports(self, id_: str) -> None:
        """Choose anew for a service that is short of ports, and have it start if it failed so."""
        if self._shortages is None or id_ not in self._shortages.why:
            return
        idle = [o for o, view in self._views.items() if o != id_ and view.state in RESTING]
        ports, still = self._to.chooser.complete(id_, self._ports, idle)
        self._stale |= self._shortages.concerned(id_)
        if still is not None:
            self._shortages.note(id_, still)
            return
        starved = self._shortages.is_starving(id_) and self._views[id_].state is State.FAILED
        names = self._shortages.settle(id_, before=self._ports, after=ports)
        self._ports = ports
        self._stale.update(idle)
        for name in names:
            self._to.emit("port_assigned", id_, name=name, port=ports[id_][name])
        self._render_anew(id_, names)
        if starved:
            self._tell(id_, ForgiveService())

    def _actor_failed(self, message: ServiceActorFailed) -> None:
        """Give the process of a broken actor to a new one, which ends it and starts again."""
        self._to.emit("runtime_error", message.id, error=message.error)
        self._children[message.id] = self._to.spawn_actor(
            message.id, self.actor_ref, child=message.child, incarnation=message.incarnation
        )
        if self._phase is not Phase.RUNNING:
            self._order(message.id, Then.STAY, "stopping")

    def _resumed(self, message: SystemResumed) -> None:
        self._to.emit("system_resumed", None, seconds=round(message.seconds, 1))
        for ref in self._children.values():
            ref.tell(message)

    # What follows from a change

    def _proceed(self) -> None:
        if self._orders:
            self._give_stops()
        if self._phase is Phase.RUNNING:
            self._give_starts()
        elif order.all_down(self._views.values()) and not self._orders:
            self._phase = Phase.STOPPED
        self._publish()

    def _give_stops(self) -> None:
        for id_ in order.ready_to_stop(self._tree()):
            stop = self._orders[id_]
            if id_ not in self._children:
                del self._orders[id_]
                self._see(
                    msgspec.structs.replace(
                        self._views[id_], state=State.STOPPED, message=stop.reason
                    )
                )
            elif id_ not in self._stopping:
                self._stopping.add(id_)
                self._tell(id_, StopService(stop.then, stop.reason))

    def _give_starts(self) -> None:
        for id_ in order.startable(self._tree(), self._plan.manifest.supervision):
            if id_ in self._plan.unusable:
                continue
            if id_ in self._short():
                self._find_ports(id_)
            if id_ in self._short():
                self._starve(id_)
                continue
            self._to.release()
            view = self._views[id_]
            self._tell(id_, StartService(view.incarnation, self._inputs(id_)))
            self._see(msgspec.structs.replace(view, state=State.STARTING, message="starting"))

    def _inputs(self, id_: str) -> Inputs:
        """Return what a start is given; its secrets first, as a new value makes them former."""
        vault = self._to.vault
        values = vault.values_for(id_)
        return Inputs(self._ports, values, self._plan.gpu, vault.former_for(id_))

    def _order(self, id_: str, then: Then, reason: str) -> None:
        current = self._orders.get(id_)
        if current is not None and current.then is Then.STAY:
            return
        self._orders[id_] = Order(then, reason)
        self._stopping.discard(id_)
        self._stale.update(self._plan.graph.dependents(id_))

    def _tell(self, id_: str, message: Message) -> None:
        """Send to a service; its actor is started at the first message."""
        self._child(id_).tell(message)

    def _child(self, id_: str) -> pykka.ActorRef[Any]:
        ref = self._children.get(id_)
        if ref is None:
            ref = self._children[id_] = self._to.spawn_actor(id_, self.actor_ref)
        return ref

    def _engage(self, _: EngageActors) -> None:
        """Start the other actors while the first processes boot, and not when all are released; a
        few at a time, so that no release waits for many.
        """
        missing = [id_ for id_ in self._plan.graph.start_order if id_ not in self._children]
        for id_ in missing[:ENGAGED_AT_ONCE]:
            self._child(id_)
        if len(missing) > ENGAGED_AT_ONCE:
            self.actor_ref.tell(EngageActors())

    def _tell_pages(self, api: str) -> None:
        """While an API has no process its port may be anybody's: pages must not ask there."""
        ports = {api: self._ports.get(api, {})} if self._views[api].state in LIVE else {}
        for id_ in self._pages.get(api, ()):
            if id_ in self._children:
                self._children[id_].tell(PortsMoved(ports))

    def _tree(self) -> Tree:
        missing = {
            id_: secrets for id_ in self._with_secrets if (secrets := self._to.vault.missing(id_))
        }
        seen = (self._plan.graph, self._views, self._wanted, missing, self._orders)
        if self._shortages is None:
            return Tree(*seen)
        return Tree(*seen, self._shortages.why, self._shortages.lacking)

    # The picture for everybody else

    def _see(self, view: ServiceView) -> None:
        before = self._views[view.id]
        self._views[view.id] = view
        if (before.state in LIVE) != (view.state in LIVE):
            self._tell_pages(view.id)
        self._stale.add(view.id)
        self._stale.update(order.shown_anew(self._plan.graph, before, view))
        if self._shortages is not None and view.state in RESTING and before.state not in RESTING:
            self._pass_ports_on(view.id)

    def _publish(self) -> None:
        tree = self._tree()
        blocking = order.troubles(tree)
        stale, self._stale = self._stale, set()
        if not stale and self._phase is self._to.board.snapshot.phase:
            return
        for id_ in stale:
            view = order.shown(tree, id_, blocking)
            self._shown[id_] = msgspec.structs.replace(view, ports=self._ports.get(id_, {}))
        self._to.board.publish(
            Snapshot(
                version=self._to.board.snapshot.version + 1,
                phase=self._phase,
                services=dict(self._shown),
            )
        )
        self._note_blocked(stale)

    def _note_blocked(self, ids: set[str]) -> None:
        for id_ in self._plan.graph.start_order:
            if id_ not in ids:
                continue
            view = self._shown[id_]
            if view.blocked and id_ not in self._blocked:
                self._blocked.add(id_)
                self._to.emit("service_blocked", id_, reason=view.message)
            elif not view.blocked:
                self._blocked.discard(id_)


HANDLERS: dict[type[Message], Callable[[Supervisor, Any], object]] = {
    StartBundle: Supervisor._start_bundle,
    CommandStart: Supervisor._command_start,
    CommandStop: Supervisor._command_stop,
    CommandRestart: Supervisor._command_restart,
    SecretsChanged: Supervisor._secrets_changed,
    StopBundle: Supervisor._stop_bundle,
    KillBundle: Supervisor._kill_bundle,
    ServiceChanged: Supervisor._changed,
    ServiceFailed: Supervisor._failed,
    PortsTaken: Supervisor._ports_taken,
    ServiceActorFailed: Supervisor._actor_failed,
    SystemResumed: Supervisor._resumed,
    EngageActors: Supervisor._engage,
}
