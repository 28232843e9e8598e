"""The supervisor: owns the service actors, enforces dependency order and strategy, publishes.

It decides nothing by itself. What a command makes wanted of a service, and what the service has to
be told for it, is :mod:`bundlevisor.actors.core.desired`; who may start and who stops first are
functions of :mod:`bundlevisor.actors.core.dependencies`; what a service does after a failure is
:mod:`bundlevisor.actors.core.lifecycle`.

Every change of a service arrives as ``ServiceChanged``. After each message the supervisor compares
the reports with what is wanted, gives the instructions that are due, starts what may start, and
publishes the new snapshot (once for several reports that wait in a row). An instruction takes
effect in its picture at once; reports from before it was heard are dropped. It waits for nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from bundlevisor.actors import getting_ready
from bundlevisor.actors.bundle_state import BundleState
from bundlevisor.actors.collaborators import Collaborators, Plan
from bundlevisor.actors.core import commanded, dependencies, foreseen, restart
from bundlevisor.actors.core.commanded import Change
from bundlevisor.actors.core.messages import (
    STOPPING,
    CommandRestart,
    CommandStart,
    CommandStop,
    FailService,
    KillBundle,
    KillService,
    Message,
    Outcome,
    PortsTaken,
    SecretsChanged,
    ServiceActorFailed,
    ServiceChanged,
    ServiceFailed,
    StartBundle,
    StartService,
    StopBundle,
    SystemResumed,
)
from bundlevisor.actors.core.report import LIVE, Report
from bundlevisor.actors.core.snapshot import Phase
from bundlevisor.actors.loop.loop_actor import LoopActor
from bundlevisor.actors.picture import Picture
from bundlevisor.actors.ports_in_force import PortsInForce
from bundlevisor.actors.service_actors import PageApis, ServiceActors

if TYPE_CHECKING:
    from bundlevisor.actors.loop.loop_actor import Loop


class Supervisor(LoopActor):
    """One for the whole bundle."""

    def __init__(self, plan: Plan, collaborators: Collaborators, loop: Loop) -> None:
        super().__init__(loop)
        self._plan = plan
        self._to = collaborators
        self._phase = Phase.RUNNING
        self._picture = Picture(plan.graph, collaborators)
        self._ports = PortsInForce(plan, collaborators.chooser, collaborators.emit)
        self._actors = ServiceActors(collaborators.spawn_actor, self.actor_ref)
        ids = collaborators.board.snapshot.services
        self._state = BundleState(plan, ids, collaborators.vault, self._ports)
        services, reports = plan.manifest.services, self._state.reports
        self._apis = PageApis(services, self._actors, reports, self._ports.of)
        self._group_restarts: tuple[float, ...] = ()

    def __str__(self) -> str:
        return "supervisor"

    def on_receive(self, message: Message) -> object:
        """Handle one message; an error of ours is reported and never ends the supervisor."""
        try:
            answer = HANDLERS[type(message)](self, message)
            self._proceed(message)
        except Exception as error:  # noqa: BLE001 - the supervisor must outlive its own errors
            self._state.look_at_all()  # whom this turn has not come to is looked at in the next
            self._to.fault(f"supervisor, {type(message).__name__}", error)
            self._to.emit("runtime_error", None, error=f"{type(error).__name__}: {error}")
            return None
        return answer

    # Commands

    def _start_bundle(self, _: StartBundle) -> None:
        lazy = [service.id for service in self._plan.manifest.services if service.on_demand]
        self._want(dependencies.wanted_with_the_bundle(self._plan.graph, lazy))

    def _want(self, ids: frozenset[str]) -> None:
        """Have these services run, as far as they can; what nobody wants does not fail either."""
        added = self._state.want(ids)
        self._picture.touch(added)
        order = self._plan.graph.in_start_order(added)
        getting_ready.begin(self._loop, self._state, self._actors, order)
        short = {id_: shortage.sentence for id_, shortage in self._ports.short.items()}
        for id_, reason in (short | self._plan.unusable).items():
            if id_ in added:
                self._fail(id_, reason)

    def _command_start(self, message: CommandStart) -> Outcome:
        refused = self._refusal(message.id)
        return refused or self._start(message.id, commanded.start(self._state.tree(), message.id))

    def _command_stop(self, message: CommandStop) -> Outcome:
        if self._phase is not Phase.RUNNING:
            return STOPPING
        return self._change(commanded.stop(self._state.tree(), message.id))

    def _command_restart(self, message: CommandRestart) -> Outcome:
        refused = self._refusal(message.id)
        supervision = self._plan.manifest.supervision
        return refused or self._start(
            message.id, commanded.restart(self._state.tree(), message.id, supervision)
        )

    def _refusal(self, id_: str) -> Outcome | None:
        """Return why a service cannot be started; None when it can."""
        if self._phase is not Phase.RUNNING:
            return STOPPING
        needed = (*self._plan.graph.all_dependencies(id_), id_)
        for other in needed:
            if other in self._plan.unusable:
                return Outcome(conflict=self._plan.unusable[other])
        for other in self._ports.behind(needed):
            self._find_ports(other)
        conflict = self._ports.conflict(needed)
        return Outcome(conflict=conflict) if conflict else None

    def _start(self, id_: str, change: Change) -> Outcome:
        self._want(frozenset((*self._plan.graph.all_dependencies(id_), id_)))
        self._ports.reset((id_, *change.affected))
        return self._change(change)

    def _secrets_changed(self, message: SecretsChanged) -> Outcome:
        """Restart what runs with an old value, and give another chance to what failed with it."""
        if self._phase is not Phase.RUNNING:
            return STOPPING
        self._state.look_at_secrets()
        self._picture.touch(self._state.with_secrets)
        receiving = dependencies.users_of(self._plan.manifest, self._plan.graph, message.changed)
        users = [id_ for id_ in receiving if id_ not in self._plan.unusable]
        self._renew(users, "restarting with a new secret", resetting=True)
        ending, wanted = self._state.ending, self._state.desired
        return Outcome(tuple(id_ for id_ in users if id_ in ending and not wanted[id_].down))

    def _stop_bundle(self, message: StopBundle) -> None:
        if self._phase is Phase.RUNNING:
            self._phase = Phase.STOPPING
            self._change(commanded.stop_all(self._state.tree(), message.reason))

    def _kill_bundle(self, _: KillBundle) -> None:
        self._phase = Phase.STOPPING
        self._change(commanded.stop_all(self._state.tree(), "killed"))
        for id_ in self._plan.graph.stop_order:
            if id_ in self._actors:
                self._actors.instruct(id_, KillService())

    def _renew(self, ids: Iterable[str], reason: str, *, resetting: bool = False) -> None:
        self._change(commanded.renew(self._state.tree(), ids, reason, resetting=resetting))

    def _change(self, change: Change) -> Outcome:
        """Want from now on what a command wants; what follows is told as soon as it is due."""
        for id_ in self._state.change(change):
            self._picture.wanted_anew(id_)
        return Outcome(change.affected, after=change.after)

    # Reports of the services

    def _changed(self, message: ServiceChanged) -> None:
        if self._actors.is_news(message.report):
            self._see(message.report)

    def _failed(self, message: ServiceFailed) -> None:
        """Apply the strategy: others may have to restart with the one that failed."""
        supervision = self._plan.manifest.supervision
        group = dependencies.restart_group(self._state.tree(), message.id, supervision)
        if not group or self._phase is not Phase.RUNNING:
            return
        decision = restart.with_group(
            supervision, self._group_restarts, now=self._to.monotonic(), cause=message.reason
        )
        if isinstance(decision, restart.GiveUp):
            self._fail(message.id, decision.reason)
            return
        self._group_restarts = decision
        self._renew(group, f"restarting with {message.id} ({message.reason})")

    def _ports_taken(self, message: PortsTaken) -> None:
        if refused := self._ports.replace_lost(message.id, message.names):
            self._fail(message.id, refused)
        else:
            self._render_anew(message.id, message.names)

    def _render_anew(self, id_: str, names: tuple[str, ...]) -> None:
        """Restart what runs with the old number of a port that has another one now."""
        users = self._ports.users(id_, names)
        self._picture.touch([id_])
        self._apis.moved(id_)
        running = [
            user
            for user in self._plan.graph.stop_order
            if user in users and self._state.reports[user].stage in LIVE
        ]
        self._renew(running, f"restarting because a port of {id_} moved")

    def _find_ports(self, id_: str) -> None:
        """Choose anew for a service that is short of ports, and have it start if it failed so."""
        names = self._ports.find_missing(id_)
        self._state.look_at_all()
        self._picture.touch_all()
        if not names:
            return
        self._render_anew(id_, names)
        if id_ not in self._plan.unusable:
            self._renew([id_], "", resetting=True)

    def _actor_failed(self, message: ServiceActorFailed) -> None:
        """Give the process of a broken actor to a new one, which ends it as one that failed.

        What the broken one was told and had not heard is told again, as far as it is still due.
        """
        self._to.emit("runtime_error", message.id, error=message.error)
        before = self._state.reports[message.id]
        after = foreseen.taken_over(before, message.incarnation)
        self._actors.replace(message.id, foreseen.inherited(after, message.history), message.child)
        self._see(after)

    def _resumed(self, message: SystemResumed) -> None:
        self._to.emit("system_resumed", None, seconds=round(message.seconds, 1))
        self._actors.tell_all(message)

    # What follows from a change

    def _proceed(self, message: Message) -> None:
        self._give_instructions()
        getting_ready.hold_back(self._state, self._actors)
        if self._phase is Phase.RUNNING:
            self._give_starts()
        elif self._state.all_down:
            self._phase = Phase.STOPPED
        if type(message) is not ServiceChanged or not self.is_followed_by(ServiceChanged):
            self._picture.publish(self._state.tree(), self._phase, self._ports.table)

    def _give_instructions(self) -> None:
        for id_, due in self._state.due():
            if id_ in self._actors:
                self._actors.instruct(id_, due)
            self._see(foreseen.obeyed(due, self._state.reports[id_]))

    def _give_starts(self) -> None:
        for id_ in self._state.startable(self._plan.manifest.supervision):
            if id_ in self._plan.unusable:
                continue
            if id_ in self._ports.short:
                self._find_ports(id_)
            if id_ in self._ports.short:
                self._fail(id_, self._ports.short[id_].sentence)
                continue
            report = self._state.reports[id_]
            self._actors.instruct(id_, StartService(report.incarnation, self._state.inputs(id_)))
            self._see(foreseen.starting(report, self._to.now()))

    def _fail(self, id_: str, reason: str) -> None:
        """Fail a service that cannot run, unless it does; what was wanted of its run is over."""
        self._actors.instruct(id_, FailService(reason))
        self._state.give_up(id_)
        self._see(foreseen.failed(self._state.reports[id_], reason))

    def _see(self, report: Report) -> None:
        before = self._state.see(report)
        self._picture.reported(before, report, self._state.desired)
        self._apis.reported(before, report)


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
}
