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
from typing import TYPE_CHECKING, Any

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
from bundlevisor.actors.core.report import AfterStop, Report, Stage, StopCause
from bundlevisor.actors.incarnation import Incarnation
from bundlevisor.actors.launch.inputs import StartInputs
from bundlevisor.actors.launch.spec import CannotLaunch, LaunchSpec, health_port
from bundlevisor.actors.loop.loop_actor import LoopActor
from bundlevisor.actors.loop.reactor import Timer as LoopTimer
from bundlevisor.actors.ports.service_ports import ServicePorts
from bundlevisor.actors.probes.probing import Probing
from bundlevisor.actors.process import children
from bundlevisor.actors.telemetry import milestones
from bundlevisor.manifest.format.paths import PathRefused
from bundlevisor.manifest.plan import readiness

if TYPE_CHECKING:
    from bundlevisor.actors.prepare.preparation import Preparation
    from bundlevisor.actors.secrets.removal import SecretRemoval

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
        self._errand: Preparation | SecretRemoval | None = None
        """What is done on a thread before a spawn, or after an end; it answers by a message."""
        self._timers: dict[Timer, LoopTimer] = {}
        self._bounds: dict[Timer, float] = {}
        """When each was to fire by itself, on the monotonic clock; a service may put it off."""
        self._probe: Probing | None = None
        self._unaskable = ""
        """Why there is no probe although one is wanted."""
        self._begun_at: float | None = None
        self._started_at: float | None = None
        self._ready_at: float | None = None

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
        elif isinstance(message, Prepared | LaunchFailed | PortsLost | TreeEmptied):
            self._errand = None
        events = deque(self._unless_stopped(message))
        while events:
            event = events.popleft()
            if isinstance(event, TimerFired) and event.timer is Timer.TREE:
                events.extend(self._look_at_tree())
                continue
            if isinstance(event, StopRefused | PortsMoved):
                self._pass_on(event)
                continue
            spread = os.urandom(1)[0] / 256
            trouble = self._trouble() if isinstance(event, TimerFired) else ""
            context = Context(self._service, time.monotonic(), spread, trouble)
            self._life, due = lifecycle.step(self._life, event, context)
            for effect in due:
                events.extend(PERFORM[type(effect)](self, effect) or ())
        if self._life != before:
            self._report()

    def _unless_stopped(self, message: Message) -> tuple[Message, ...]:
        """Have what was prepared for a start undone where a stop has been told meanwhile."""
        if isinstance(message, Prepared) and self._life.stage is Stage.STOPPING:
            return self._once_without_secrets(TreeEmptied(message.incarnation))
        return (message,)

    def _give_up_ownership(self, error: Exception) -> None:
        for timer in self._timers.values():
            timer.cancel()
        if self._probe is not None:
            self._probe.stop()
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
        self._ready_at = None
        self._begun_at = time.time()
        self._unaskable = ""
        trouble = self._refuse_log()
        if trouble is not None:
            return (trouble,)
        service, world, incarnation = self._service, self._world, self._life.incarnation
        if not (self._blueprint.reads_secret_files or world.installs(service)):
            return (Prepared(incarnation),)
        from bundlevisor.actors.prepare.preparation import Preparation

        means = world.means(self._blueprint)
        self._errand = Preparation(
            self._blueprint, means, self._inputs, incarnation, self.actor_ref.tell
        )
        self._errand.start()
        return ()

    def _refuse_log(self) -> LaunchFailed | None:
        try:
            self._blueprint.keep_log_inside()
        except PathRefused as error:
            refusal = self._blueprint.refusal(f"log_dir: {error}", fatal=True)
            return LaunchFailed(self._life.incarnation, str(refusal), fatal=True)
        return None

    def _launch(self, _: Effect) -> tuple[Message, ...]:
        number, ref = self._life.incarnation, self.actor_ref
        incarnation = self._new_incarnation()
        try:
            lost = self._ports.hold()
            if lost:
                return self._once_without_secrets(PortsLost(number, lost))
            child = incarnation.start(self._ports, lambda: ref.tell(BecameReady(number)))
        except CannotLaunch as error:
            return self._once_without_secrets(LaunchFailed(number, str(error), error.fatal))
        except OSError as error:  # no more descriptors, or no more processes
            refusal = self._blueprint.refusal(f"it cannot be started: {error.strerror or error}")
            return self._once_without_secrets(LaunchFailed(number, str(refusal)))
        self._incarnation = incarnation
        self._started_at = time.time()
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
        incarnation, ref = self._life.incarnation, self.actor_ref
        wanted = self._blueprint.criterion
        if wanted.condition is readiness.Condition.ALIVE:
            return (BecameReady(incarnation),)
        if wanted.condition is readiness.Condition.NOTIFIED:
            return ()
        try:
            self._probe = self._new_probe(wanted.port_name)
        except CannotLaunch as error:
            self._unaskable = str(error)
            return (ProgressMade(incarnation, str(error)),)
        self._probe.until_ready(
            wanted,
            self._service.health,
            lambda: ref.tell(BecameReady(incarnation)),
            lambda: self._world.mark(milestones.LISTENING, self._service.id),
        )
        return ()

    def _trouble(self) -> str:
        """Return what stands in the way of readiness, as far as anybody knows."""
        wanted = self._blueprint.criterion
        if wanted.condition is readiness.Condition.LOGGED:
            return f"its output shows no match of '{wanted.pattern}'"
        if wanted.condition is readiness.Condition.NOTIFIED:
            return "it has not said that it is ready"
        return self._probe.trouble if self._probe is not None else self._unaskable

    def _await_failure(self, _: Effect) -> tuple[Message, ...]:
        incarnation, ref = self._life.incarnation, self.actor_ref
        self._ready_at = time.time()
        self._world.mark(milestones.READY, self._service.id)
        if self._service.migrations:
            self._forget_snapshot()
        self._look_who_answers()
        if self._probe is not None:
            self._probe.stop()
        health = readiness.liveness(self._service)
        if health is None:
            return ()
        try:
            self._probe = self._new_probe(health_port(self._service, health))
        except CannotLaunch as error:
            return (ProbeAnswered(incarnation, str(error)),)
        self._probe.watch(health, lambda trouble: ref.tell(ProbeAnswered(incarnation, trouble)))
        return ()

    def _look_who_answers(self) -> None:
        """See whether the port that made the service ready is listened on by the service."""
        name = self._blueprint.criterion.port_name
        port = self._inputs.ports.get(self._service.id, {}).get(name)
        handed = any(r.name == name and r.requires_socket for r in self._service.port_requests)
        if port is not None and not handed and self._incarnation is not None:
            self._incarnation.look_who_answers(name, port)

    def _forget_snapshot(self) -> None:
        """The upgraded service has been ready: the data before the upgrade is not needed."""
        snapshots, id_ = self._world.stores.snapshots, self._service.id
        threading.Thread(target=lambda: snapshots.drop(id_), name="snapshot", daemon=True).start()

    def _new_probe(self, port_name: str) -> Probing:
        env = self._incarnation.env if self._incarnation else {}
        target = self._blueprint.target(self._inputs, env, port_name)
        world = self._world
        return Probing(world.loop, world.listening, target, world.probe_stats_of(self._service.id))

    def _end_tree(self, _: Effect) -> tuple[Message, ...]:
        self._stop_probing()
        if self._incarnation is None:
            return self._end_errand()
        self._ask()
        return ()

    def _end_errand(self) -> tuple[Message, ...]:
        """Cut the errand short, which says when it has ended; without one nothing is left."""
        if self._errand is None:
            return (TreeEmptied(self._life.incarnation),)
        self._errand.cancel()
        return ()

    def _once_without_secrets(self, message: Message) -> tuple[Message, ...]:
        """Go on with this once the files of its secrets, if it has any, are removed."""
        if not self._blueprint.reads_secret_files:
            return (message,)
        from bundlevisor.actors.secrets.removal import SecretRemoval

        files, ref = self._world.secret_files, self.actor_ref
        self._errand = SecretRemoval(files, self._service.id, lambda: ref.tell(message))
        self._errand.start()
        return ()

    def _clear_tree(self, _: Effect) -> tuple[Message, ...]:
        self._stop_probing()
        return self._look_at_tree()

    def _kill_tree(self, _: Effect) -> tuple[Message, ...]:
        self._stop_probing()
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
        return self._once_without_secrets(PortsLost(number, lost) if lost else TreeEmptied(number))

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

    def _stop_probing(self) -> None:
        if self._probe is not None:
            self._probe.stop()
            self._probe = None

    def _arm(self, effect: effects.Arm) -> None:
        when = self._bounds[effect.timer] = time.monotonic() + effect.seconds
        self._set(effect.timer, when)

    def _set(self, timer: Timer, when: float) -> None:
        self._disarm(effects.Disarm(timer))
        fired, ref = TimerFired(self._life.incarnation, timer), self.actor_ref
        self._timers[timer] = self._world.loop.call_at(when, lambda: ref.tell(fired))

    def _extend(self, effect: effects.Extend) -> None:
        """Put a timer off; one that is not set stays so, and none is brought forward."""
        timer = self._timers.get(effect.timer)
        if timer is None or effect.timer not in self._bounds:
            return
        when = max(self._bounds[effect.timer], time.monotonic() + effect.seconds)
        self._set(effect.timer, when)

    def _disarm(self, effect: effects.Disarm) -> None:
        timer = self._timers.pop(effect.timer, None)
        if timer is not None:
            timer.cancel()

    def _note(self, effect: effects.EmitEvent) -> None:
        self._world.emit(effect.event, self._service.id, **effect.details)

    def _report_failure(self, effect: effects.ReportFailure) -> None:
        self._supervisor.tell(ServiceFailed(self._service.id, effect.reason))

    def _report_ports(self, effect: effects.ReportPorts) -> None:
        self._ports.release()
        self._supervisor.tell(PortsTaken(self._service.id, effect.names))

    def _release_ports(self, _: Effect) -> None:
        self._ports.release()

    # The picture for the supervisor

    def _report(self) -> None:
        life, service = self._life, self._service
        self._supervisor.tell(
            ServiceChanged(
                Report(
                    id=service.id,
                    stage=life.stage,
                    heard=life.heard,
                    then=life.then,
                    stop_cause=life.stop_cause,
                    message=life.message,
                    updated_at=time.time(),
                    restarts=life.history.total,
                    pid=life.pid,
                    incarnation=life.incarnation,
                    instance=self._blueprint.instance(life.incarnation) if life.incarnation else "",
                    exit_code=life.exit_code,
                    output=life.output,
                    doing=life.doing,
                    begun_at=self._begun_at,
                    started_at=self._started_at,
                    ready_at=self._ready_at if life.stage is Stage.READY else None,
                    log_path=self._blueprint.log_path,
                )
            )
        )


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
