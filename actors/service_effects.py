"""What the lifecycle decides for a service is carried out here, one short method for each effect.

Each may answer with further events at once; what takes time arrives as messages to the actor.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import pykka

from bundlevisor.actors.background_work import BackgroundWork
from bundlevisor.actors.context import ServiceContext
from bundlevisor.actors.core import effects
from bundlevisor.actors.core.effects import Effect
from bundlevisor.actors.core.life import Life, is_undone
from bundlevisor.actors.core.messages import (
    BecameReady,
    GetReady,
    Launched,
    LaunchFailed,
    Message,
    PortsLost,
    PortsMoved,
    PortsTaken,
    Prepared,
    ProbeAnswered,
    ProcessExited,
    ProgressMade,
    ServiceFailed,
    StartService,
    StopRefused,
    Timer,
    TimerFired,
    TreeEmptied,
)
from bundlevisor.actors.core.report import AfterStop
from bundlevisor.actors.incarnation import Incarnation
from bundlevisor.actors.launch.ahead import LaunchAhead
from bundlevisor.actors.launch.inputs import StartInputs
from bundlevisor.actors.launch.spec import CannotLaunch, LaunchSpec
from bundlevisor.actors.loop.wall_time import moment
from bundlevisor.actors.ports.service_ports import ServicePorts
from bundlevisor.actors.service_probes import ServiceProbes
from bundlevisor.actors.service_report import Moments
from bundlevisor.actors.service_timers import ServiceTimers
from bundlevisor.actors.telemetry import milestones
from bundlevisor.manifest.plan.readiness import Condition

if TYPE_CHECKING:
    from bundlevisor.actors.loop.loop_actor import Teller
    from bundlevisor.actors.process.process_tree import ProcessTree


class ServiceEffects:
    """Owned by the service's actor, and only used in its turns: what one service has and holds."""

    def __init__(
        self,
        spec: LaunchSpec,
        context: ServiceContext,
        supervisor: pykka.ActorRef[Any],
        actor: Teller,
    ) -> None:
        self.moments = Moments()
        self._spec = spec
        self._service = spec.service
        self._context = context
        self._supervisor = supervisor
        self._actor = actor
        self._life = Life()
        self._inputs = StartInputs({})
        self._ports = ServicePorts(spec.service, context.reserved)
        self._incarnation: Incarnation | None = None
        """The present start, until nothing of its tree is left."""
        self._ahead = LaunchAhead(spec)
        self._work = BackgroundWork(spec, context, actor.tell)
        self._timers = ServiceTimers(context.loop, actor.tell, self._read_first)
        self._probes = ServiceProbes(spec, context)

    @property
    def child(self) -> ProcessTree | None:
        """The leader of the present start, if there is one."""
        return self._incarnation.child if self._incarnation else None

    @property
    def trouble(self) -> str:
        """What stands in the way of readiness, as far as anybody knows."""
        return self._probes.trouble

    def perform(self, effect: Effect, life: Life) -> tuple[Message, ...]:
        """Carry out what was decided for this life; return the events that follow at once."""
        self._life = life
        return PERFORM[type(effect)](self, effect) or ()

    def hear(self, message: Message, life: Life) -> tuple[Message, ...]:
        """Take from a message what concerns no decision; return what the lifecycle is to decide."""
        self._life = life
        self._work.hear(message)
        if isinstance(message, StartService):
            self._inputs = message.inputs
            self._ports.assign(message.inputs.ports)
        elif isinstance(message, ProcessExited) and self._incarnation is not None:
            self._incarnation.hear_exit(message.incarnation)
        elif isinstance(message, Prepared) and is_undone(life):
            return self._work.without_secrets(TreeEmptied(message.incarnation))
        return (message,)

    def act(self, event: Message, life: Life) -> tuple[Message, ...] | None:
        """Do what follows from an event without a decision; None where there is one to be made."""
        self._life = life
        if isinstance(event, TimerFired) and not self._timers.stands(event):
            return ()
        if isinstance(event, TimerFired) and event.timer is Timer.TREE:
            return self._look_at_tree()
        if isinstance(event, StopRefused | PortsMoved | GetReady):
            self._pass_on(event)
            return ()
        return None

    def take_over(self, orphan: ProcessTree | None, life: Life) -> tuple[Message, ...]:
        """End what a broken actor left, process or secrets; return what follows at once."""
        self._life = life
        if orphan is None:
            return self._work.without_secrets(TreeEmptied(life.incarnation))
        self._incarnation = self._new_incarnation()
        self._incarnation.adopt(orphan)
        self._watch_exit(self._incarnation)
        self._timers.arm(Timer.GRACE, self._service.stop.grace_s, life.incarnation)
        return self._end_tree(effects.EndTree())

    def let_go(self) -> None:
        """Wait for nothing any more, and leave the process to somebody else."""
        self._timers.disarm_all()
        self._probes.stop()
        self._work.cut_short()
        self._ports.release()

    def _prepare(self, _: Effect) -> tuple[Message, ...]:
        self.moments.ready = None
        self.moments.begun = moment()
        return self._work.prepare(self._inputs, self._life.incarnation)

    def _launch(self, _: Effect) -> tuple[Message, ...]:
        number, ref = self._life.incarnation, self._actor
        incarnation = self._new_incarnation()
        try:
            lost = self._ports.hold()
            if lost:
                return self._work.without_secrets(PortsLost(number, lost))
            built = self._ahead.take(self._inputs, incarnation.instance)
            child = incarnation.start(self._ports, lambda: ref.tell(BecameReady(number)), built)
        except CannotLaunch as error:
            return self._work.without_secrets(LaunchFailed(number, str(error), error.fatal))
        except OSError as error:  # no more descriptors, or no more processes
            refusal = self._spec.refusal(f"it cannot be started: {error.strerror or error}")
            return self._work.without_secrets(LaunchFailed(number, str(refusal)))
        self._incarnation = incarnation
        self.moments.started = moment()
        self._context.mark(milestones.SPAWNED, self._service.id)
        self._watch_exit(incarnation)
        return (Launched(number, child.pid),)

    def _new_incarnation(self) -> Incarnation:
        number, tell = self._life.incarnation, self._actor.tell
        return Incarnation(self._spec, self._context, self._inputs, number, tell)

    def _watch_exit(self, incarnation: Incarnation) -> None:
        number, ref = incarnation.number, self._actor
        incarnation.on_exit(lambda code, lines: ref.tell(ProcessExited(number, code, lines)))

    def _await_readiness(self, _: Effect) -> tuple[Message, ...]:
        number, ref = self._life.incarnation, self._actor
        if self._spec.criterion.condition is Condition.ALIVE:
            return (BecameReady(number),)
        unaskable = self._probes.until_ready(
            self._inputs, self._env, lambda: ref.tell(BecameReady(number))
        )
        return (ProgressMade(number, unaskable),) if unaskable else ()

    def _await_failure(self, _: Effect) -> tuple[Message, ...]:
        number, ref = self._life.incarnation, self._actor
        self.moments.ready = moment()
        self._context.mark(milestones.READY, self._service.id)
        if self._service.migrations:
            self._context.forget_snapshot(self._service.id)
        if self._incarnation is not None:
            self._probes.look_who_answers(self._inputs, self._incarnation)
        unaskable = self._probes.watch(
            self._inputs, self._env, lambda trouble: ref.tell(ProbeAnswered(number, trouble))
        )
        return (ProbeAnswered(number, unaskable),) if unaskable else ()

    @property
    def _env(self) -> dict[str, str]:
        """What the present start was given; its health command gets the same."""
        return self._incarnation.env if self._incarnation else {}

    def _end_tree(self, _: Effect) -> tuple[Message, ...]:
        self._probes.stop()
        if self._incarnation is None:
            return self._cut_work_short()
        self._ask()
        return ()

    def _cut_work_short(self) -> tuple[Message, ...]:
        """Cut what goes on beside short, which tells when it has ended; else nothing is left."""
        return () if self._work.cut_short() else (TreeEmptied(self._life.incarnation),)

    def _clear_tree(self, _: Effect) -> tuple[Message, ...]:
        self._probes.stop()
        return self._look_at_tree()

    def _kill_tree(self, _: Effect) -> tuple[Message, ...]:
        self._probes.stop()
        if self._incarnation is not None:
            self._incarnation.stop.insist()
        return self._look_at_tree()

    def _look_at_tree(self) -> tuple[Message, ...]:
        """See what is left: nothing, or processes that are asked or killed and looked at again."""
        incarnation = self._incarnation
        if incarnation is None:
            return self._cut_work_short()
        if not incarnation.is_over():
            self._ask()
            again = incarnation.stop.until_next_look()
            self._timers.arm(Timer.TREE, again, self._life.incarnation)
            return ()
        incarnation.bury()
        self._incarnation = None
        never_ready = self._life.ready_at is None and self._life.then is AfterStop.RETRY
        lost = self._ports.hold_after_failure() if never_ready else ()
        number = self._life.incarnation
        return self._work.without_secrets(PortsLost(number, lost) if lost else TreeEmptied(number))

    def _ask(self) -> None:
        if self._incarnation is not None:
            self._incarnation.ask(partial(self._actor.tell, StopRefused(self._life.incarnation)))
            self._hurry()

    def _hurry(self) -> None:
        """Where nobody can be asked there is nothing to wait for."""
        if self._incarnation is not None and self._incarnation.stop.is_hopeless:
            self._timers.arm(Timer.TREE, 0, self._life.incarnation)

    def _pass_on(self, message: StopRefused | PortsMoved | GetReady) -> None:
        """Tell the present incarnation, or prepare the next, where that concerns no decision."""
        if isinstance(message, GetReady):
            self._ahead.build(message.inputs, self._spec.instance(self._life.incarnation + 1))
        elif self._incarnation is None:
            return
        elif isinstance(message, PortsMoved):
            self._incarnation.move_upstream(message.ports)
        elif message.incarnation == self._life.incarnation:
            self._incarnation.stop.signal()
            self._hurry()

    def _read_first(self, then: Callable[[], object]) -> None:
        if self._incarnation is None:
            then()
        else:
            self._incarnation.read_first(then)

    def _arm(self, effect: effects.Arm) -> None:
        self._timers.arm(effect.timer, effect.seconds, self._life.incarnation)

    def _emit(self, effect: effects.EmitEvent) -> None:
        self._context.emit(effect.event, self._service.id, **effect.details)

    def _report_failure(self, effect: effects.ReportFailure) -> None:
        self._supervisor.tell(ServiceFailed(self._service.id, effect.reason))

    def _report_ports(self, effect: effects.ReportPorts) -> None:
        self._ports.release()
        self._supervisor.tell(PortsTaken(self._service.id, effect.names))


PERFORM: dict[type[Effect], Callable[[ServiceEffects, Any], tuple[Message, ...] | None]] = {
    effects.Prepare: ServiceEffects._prepare,
    effects.Launch: ServiceEffects._launch,
    effects.AwaitReadiness: ServiceEffects._await_readiness,
    effects.AwaitFailure: ServiceEffects._await_failure,
    effects.EndTree: ServiceEffects._end_tree,
    effects.ClearTree: ServiceEffects._clear_tree,
    effects.KillTree: ServiceEffects._kill_tree,
    effects.Arm: ServiceEffects._arm,
    effects.Extend: lambda own, e: own._timers.extend(e.timer, e.seconds, own._life.incarnation),
    effects.Disarm: lambda own, e: own._timers.disarm(e.timer),
    effects.EmitEvent: ServiceEffects._emit,
    effects.ReportFailure: ServiceEffects._report_failure,
    effects.ReportPorts: ServiceEffects._report_ports,
    effects.ReleasePorts: lambda own, _: own._ports.release(),
}
