"""One service: an actor that owns its process and does what the lifecycle decides.

Every message goes through :func:`bundlevisor.actors.core.lifecycle.step`; the effects that it
returns are carried out here, one short method each, and may answer with a further event at once.
The actor never sleeps and never waits: exits, probes and timers arrive as messages from the edges.
The process tree of one start is an :class:`bundlevisor.actors.incarnation.Incarnation`.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec
import pykka

from bundlevisor.actors.context import ServiceContext
from bundlevisor.actors.core import effects, lifecycle
from bundlevisor.actors.core.effects import Effect
from bundlevisor.actors.core.life import Context, Life
from bundlevisor.actors.core.messages import (
    BecameReady,
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
    ServiceActorFailed,
    ServiceChanged,
    ServiceFailed,
    StartService,
    StopRefused,
    Timer,
    TimerFired,
    TreeEmptied,
)
from bundlevisor.actors.core.report import AfterStop, Stage, StopCause
from bundlevisor.actors.errand import Errand
from bundlevisor.actors.incarnation import Incarnation
from bundlevisor.actors.launch.inputs import StartInputs
from bundlevisor.actors.launch.spec import CannotLaunch, LaunchSpec
from bundlevisor.actors.loop.loop_actor import LoopActor
from bundlevisor.actors.ports.service_ports import ServicePorts
from bundlevisor.actors.process import children
from bundlevisor.actors.service_probes import ServiceProbes
from bundlevisor.actors.service_report import Moments, report_of
from bundlevisor.actors.service_timers import ServiceTimers
from bundlevisor.actors.telemetry import milestones
from bundlevisor.manifest.plan.readiness import Condition

LOOK_AGAIN = 0.005
"""Seconds between two looks at a tree that is ending: there is no event for the last exit."""


class ServiceActor(LoopActor):
    """Owns one service, from its first start to the end of the runtime."""

    def __init__(
        self,
        blueprint: LaunchSpec,
        world: ServiceContext,
        supervisor: pykka.ActorRef[Any],
        child: children.Child | None = None,
        incarnation: int = 0,
    ) -> None:
        super().__init__(world.loop)
        self._blueprint = blueprint
        self._service = blueprint.service
        self._world = world
        self._supervisor = supervisor
        self._life = Life(incarnation=incarnation)
        self._orphan = child
        """The process of a broken predecessor."""
        self._inputs = StartInputs({})
        self._ports = ServicePorts(blueprint.service, world.reserved)
        self._incarnation: Incarnation | None = None
        """The present start, until nothing of its tree is left."""
        self._errand = Errand(blueprint, world, self.actor_ref.tell)
        self._timers = ServiceTimers(world.loop)
        self._probes = ServiceProbes(blueprint, world)
        self._moments = Moments()

    def __str__(self) -> str:
        return f"service {self._service.id!r}"

    def on_start(self) -> None:
        """Take over a process that a broken predecessor left: end it, then start again."""
        if self._orphan is not None:
            self._life = msgspec.structs.replace(
                self._life,
                stage=Stage.STOPPING,
                then=AfterStop.RETRY,
                stop_cause=StopCause.BROKEN,
                pid=self._orphan.pid,
                cause="an error in the runtime",
            )
            self._incarnation = self._new_incarnation()
            self._incarnation.adopt(self._orphan)
            self._watch_exit(self._incarnation)
            self._end_tree(effects.EndTree())
            self._arm(effects.Arm(Timer.GRACE, self._service.stop.timeout_ms / 1000))

    def on_receive(self, message: Message) -> None:
        """Handle one message; an error of ours ends this actor and is the supervisor's to mend."""
        try:
            self._handle(message)
        except Exception as error:  # noqa: BLE001 - reported, and mended by a fresh actor
            self._world.fault(f"service {self._service.id!r}, {type(message).__name__}", error)
            self._give_up_ownership(error)

    def _handle(self, message: Message) -> None:
        before = self._life
        if isinstance(message, StartService):
            self._inputs = message.inputs
            self._ports.assign(message.inputs.ports)
        self._errand.hear(message)
        events = deque(self._unless_stopped(message))
        while events:
            event = events.popleft()
            if isinstance(event, TimerFired) and event.timer is Timer.TREE:
                events.extend(self._look_at_tree())
                continue
            if isinstance(event, StopRefused | PortsMoved):
                self._pass_on(event)
                continue
            jitter = os.urandom(1)[0] / 256
            trouble = self._probes.trouble if isinstance(event, TimerFired) else ""
            context = Context(self._service, time.monotonic(), jitter, trouble)
            self._life, due = lifecycle.step(self._life, event, context)
            for effect in due:
                events.extend(PERFORM[type(effect)](self, effect) or ())
        if self._life != before:
            report = report_of(self._life, self._blueprint, self._moments)
            self._supervisor.tell(ServiceChanged(report))

    def _unless_stopped(self, message: Message) -> tuple[Message, ...]:
        """Have what was prepared for a start undone where a stop has been told meanwhile."""
        if isinstance(message, Prepared) and self._life.stage is Stage.STOPPING:
            return self._errand.without_secrets(TreeEmptied(message.incarnation))
        return (message,)

    def _give_up_ownership(self, error: Exception) -> None:
        self._timers.disarm_all()
        self._probes.stop()
        self._ports.release()
        self._supervisor.tell(
            ServiceActorFailed(
                self._service.id,
                f"{type(error).__name__}: {error}",
                self._incarnation.child if self._incarnation else None,
                self._life.incarnation,
            )
        )
        self.stop()

    # Effects: each does what its Struct in the lifecycle says, and returns the events that follow

    def _prepare(self, _: Effect) -> tuple[Message, ...]:
        self._moments.ready = None
        self._moments.begun = time.time()
        return self._errand.prepare(self._inputs, self._life.incarnation)

    def _launch(self, _: Effect) -> tuple[Message, ...]:
        number, ref = self._life.incarnation, self.actor_ref
        incarnation = self._new_incarnation()
        try:
            lost = self._ports.hold()
            if lost:
                return self._errand.without_secrets(PortsLost(number, lost))
            child = incarnation.start(self._ports, lambda: ref.tell(BecameReady(number)))
        except CannotLaunch as error:
            return self._errand.without_secrets(LaunchFailed(number, str(error), error.fatal))
        except OSError as error:  # no more descriptors, or no more processes
            refusal = self._blueprint.refusal(f"it cannot be started: {error.strerror or error}")
            return self._errand.without_secrets(LaunchFailed(number, str(refusal)))
        self._incarnation = incarnation
        self._moments.started = time.time()
        self._world.mark(milestones.SPAWNED, self._service.id)
        self._watch_exit(incarnation)
        return (Launched(number, child.pid),)

    def _new_incarnation(self) -> Incarnation:
        number, tell = self._life.incarnation, self.actor_ref.tell
        return Incarnation(self._blueprint, self._world, self._inputs, number, tell)

    def _watch_exit(self, incarnation: Incarnation) -> None:
        number, ref = incarnation.number, self.actor_ref
        incarnation.on_exit(lambda code, lines: ref.tell(ProcessExited(number, code, lines)))

    def _await_readiness(self, _: Effect) -> tuple[Message, ...]:
        number, ref = self._life.incarnation, self.actor_ref
        if self._blueprint.criterion.condition is Condition.ALIVE:
            return (BecameReady(number),)
        unaskable = self._probes.until_ready(
            self._inputs, self._env, lambda: ref.tell(BecameReady(number))
        )
        return (ProgressMade(number, unaskable),) if unaskable else ()

    def _await_failure(self, _: Effect) -> tuple[Message, ...]:
        number, ref = self._life.incarnation, self.actor_ref
        self._moments.ready = time.time()
        self._world.mark(milestones.READY, self._service.id)
        if self._service.migrations:
            self._forget_snapshot()
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

    def _forget_snapshot(self) -> None:
        """The upgraded service has been ready: the data before the upgrade is not needed."""
        snapshots, id_ = self._world.stores.snapshots, self._service.id
        threading.Thread(target=lambda: snapshots.drop(id_), name="snapshot", daemon=True).start()

    def _end_tree(self, _: Effect) -> tuple[Message, ...]:
        self._probes.stop()
        if self._incarnation is None:
            return self._end_errand()
        self._ask()
        return ()

    def _end_errand(self) -> tuple[Message, ...]:
        """Cut what goes on beside short, which tells when it has ended; else nothing is left."""
        return () if self._errand.cut_short() else (TreeEmptied(self._life.incarnation),)

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
            return self._end_errand()
        if not incarnation.is_over():
            self._ask()
            self._arm(effects.Arm(Timer.TREE, LOOK_AGAIN))
            return ()
        incarnation.bury()
        self._incarnation = None
        never_ready = self._life.ready_at is None and self._life.then is AfterStop.RETRY
        lost = self._ports.hold() if never_ready else ()
        number = self._life.incarnation
        return self._errand.without_secrets(
            PortsLost(number, lost) if lost else TreeEmptied(number)
        )

    def _ask(self) -> None:
        if self._incarnation is not None:
            refused, ref = StopRefused(self._life.incarnation), self.actor_ref
            self._incarnation.ask(lambda: ref.tell(refused))
            self._hurry()

    def _hurry(self) -> None:
        """Where nobody can be asked there is nothing to wait for."""
        if self._incarnation is not None and self._incarnation.stop.is_hopeless:
            self._arm(effects.Arm(Timer.TREE, 0))

    def _pass_on(self, message: StopRefused | PortsMoved) -> None:
        """Tell the present incarnation what concerns no decision."""
        if self._incarnation is None:
            return
        if isinstance(message, PortsMoved):
            self._incarnation.move_upstream(message.ports)
        elif message.incarnation == self._life.incarnation:
            self._incarnation.stop.signal()
            self._hurry()

    def _arm(self, effect: effects.Arm) -> None:
        self._timers.arm(effect.timer, effect.seconds, self._fire(effect.timer))

    def _extend(self, effect: effects.Extend) -> None:
        self._timers.extend(effect.timer, effect.seconds, self._fire(effect.timer))

    def _fire(self, timer: Timer) -> Callable[[], None]:
        fired, ref = TimerFired(self._life.incarnation, timer), self.actor_ref
        return lambda: ref.tell(fired)

    def _disarm(self, effect: effects.Disarm) -> None:
        self._timers.disarm(effect.timer)

    def _note(self, effect: effects.EmitEvent) -> None:
        self._world.emit(effect.event, self._service.id, **effect.details)

    def _report_failure(self, effect: effects.ReportFailure) -> None:
        self._supervisor.tell(ServiceFailed(self._service.id, effect.reason))

    def _report_ports(self, effect: effects.ReportPorts) -> None:
        self._ports.release()
        self._supervisor.tell(PortsTaken(self._service.id, effect.names))

    def _release_ports(self, _: Effect) -> None:
        self._ports.release()


PERFORM: dict[type[Effect], Callable[[ServiceActor, Any], tuple[Message, ...] | None]] = {
    effects.Prepare: ServiceActor._prepare,
    effects.Launch: ServiceActor._launch,
    effects.AwaitReadiness: ServiceActor._await_readiness,
    effects.AwaitFailure: ServiceActor._await_failure,
    effects.EndTree: ServiceActor._end_tree,
    effects.ClearTree: ServiceActor._clear_tree,
    effects.KillTree: ServiceActor._kill_tree,
    effects.Arm: ServiceActor._arm,
    effects.Extend: ServiceActor._extend,
    effects.Disarm: ServiceActor._disarm,
    effects.EmitEvent: ServiceActor._note,
    effects.ReportFailure: ServiceActor._report_failure,
    effects.ReportPorts: ServiceActor._report_ports,
    effects.ReleasePorts: ServiceActor._release_ports,
}
