"""One service: an actor that owns its process and does what the lifecycle decides.

Every message goes through :func:`actors.lifecycle.step`; the effects that it returns are carried
out here, one short method each, and may answer with a further event at once. The actor never
sleeps and never waits: exits, probes and timers arrive as messages from the edges.
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

from actors import lifecycle, process, readiness, timeline
from actors.blueprint import Blueprint, CannotLaunch, compose, health_port, spawn
from actors.concealed import encoded
from actors.edges import pipes
from actors.edges.held_ports import HeldPorts
from actors.edges.log_match import AnyOutput, BadPattern, compile_pattern
from actors.edges.loop import Timer as LoopTimer
from actors.edges.probe import Probe
from actors.edges.stop_request import request_stop
from actors.guardian.charge import Charge
from actors.lifecycle import Context, Effect, Life
from actors.messages import (
    BecameReady,
    FailService,
    Inputs,
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
    StopService,
    Then,
    Timer,
    TimerFired,
    TreeEmptied,
)
from actors.snapshot import ServiceView, State
from actors.world import World

if TYPE_CHECKING:
    from actors.page_server import PageServer
    from actors.preparation import Preparation

LOOK_AGAIN = 0.005
"""Seconds between two looks at a tree that is ending: there is no event for the last exit."""


class ServiceActor(pykka.ThreadingActor):
    """Owns one service, from its first start to the end of the runtime."""

    use_daemon_thread = True

    def __init__(
        self,
        blueprint: Blueprint,
        world: World,
        supervisor: pykka.ActorRef[Any],
        child: process.Child | None = None,
        incarnation: int = 0,
    ) -> None:
        super().__init__()
        self._blueprint = blueprint
        self._service = blueprint.service
        self._world = world
        self._supervisor = supervisor
        self._life = Life(incarnation=incarnation)
        self._child = child
        self._inputs = Inputs({})
        self._held = HeldPorts()
        self._timers: dict[Timer, LoopTimer] = {}
        self._probe: Probe | None = None
        self._page: PageServer | None = None
        """The UI server that the child is, for a page."""
        self._preparation: Preparation | None = None
        """Under way before the spawn of this incarnation."""
        self._asked = False
        """Whether the tree of this incarnation has been asked to stop."""
        self._killing = False
        self._started_at: float | None = None
        self._ready_at: float | None = None
        self._env: dict[str, str] = {}

    def on_start(self) -> None:
        """Take over a process that a broken predecessor left: end it, then start again."""
        if self._child is not None:
            self._life = msgspec.structs.replace(
                self._life,
                state=State.STOPPING,
                then=Then.RETRY,
                pid=self._child.pid,
                cause="an error in the runtime",
            )
            self._watch(self._child)
            self._end_tree(lifecycle.EndTree())
            self._arm(lifecycle.Arm(Timer.GRACE, self._service.stop.timeout_ms / 1000))

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
        elif isinstance(message, Prepared | LaunchFailed):
            self._preparation = None
        events: deque[Message] = deque([message])
        while events:
            event = events.popleft()
            if isinstance(event, TimerFired) and event.timer is Timer.TREE:
                events.extend(self._look_at_tree())
                continue
            if isinstance(event, StopRefused):
                self._signal(event)
                continue
            if isinstance(event, PortsMoved):
                self._move_upstream(event)
                continue
            context = Context(self._service, time.monotonic(), os.urandom(1)[0] / 256)
            self._life, effects = lifecycle.step(self._life, event, context)
            for effect in effects:
                events.extend(PERFORM[type(effect)](self, effect) or ())
        if self._life.state not in lifecycle.LIVE and self._service.secrets:
            self._world.secret_files.remove_for(self._service.id)
        if self._life != before or isinstance(message, StartService | StopService | FailService):
            self._report()

    def _give_up_ownership(self, error: Exception) -> None:
        for timer in self._timers.values():
            timer.cancel()
        if self._probe is not None:
            self._probe.stop()
        self._held.release_all()
        self._supervisor.tell(
            ServiceActorFailed(
                self._service.id,
                f"{type(error).__name__}: {error}",
                self._child,
                self._life.incarnation,
            )
        )
        self.stop()

    # Effects: each does what its Struct in the lifecycle says, and returns the events that follow

    def _prepare(self, _: Effect) -> tuple[Message, ...]:
        self._ready_at = None
        self._asked = False
        self._killing = False
        trouble = self._place_secret_files()
        if trouble is not None:
            return (trouble,)
        if not (self._service.assets or self._service.migrations):
            return (Prepared(self._life.incarnation),)
        from actors.preparation import Preparation

        self._preparation = Preparation(
            self._blueprint, self._world, self._inputs, self._life.incarnation, self.actor_ref.tell
        )
        self._preparation.start()
        return ()

    def _place_secret_files(self) -> LaunchFailed | None:
        incarnation = self._life.incarnation
        try:
            files = self._blueprint.secret_files(self._inputs)
            if files:
                self._world.secret_files.place(self._service.id, files)
        except CannotLaunch as error:
            return LaunchFailed(incarnation, str(error), error.fatal)
        except OSError as error:
            reason = f"a secret could not be written: {error.filename}: {error.strerror}"
            return LaunchFailed(incarnation, str(self._blueprint.refusal(reason)))
        return None

    def _launch(self, _: Effect) -> tuple[Message, ...]:
        incarnation = self._life.incarnation
        lost = self._hold_ports()
        if lost:
            return (PortsLost(incarnation, lost),)
        instance = self._blueprint.instance(incarnation)
        try:
            child = self._spawn(instance)
        except CannotLaunch as error:
            self._world.log(self._blueprint).detach(instance)
            self._world.guardian.forget(instance)
            return (LaunchFailed(incarnation, str(error), error.fatal),)
        self._child = child
        self._started_at = time.time()
        self._world.mark(timeline.SPAWNED, self._service.id)
        self._watch(child)
        return (Launched(incarnation, child.pid),)

    def _spawn(self, instance: str) -> process.Child:
        """Connect the log, tell the guardian, and start what the blueprint says."""
        log, guardian = self._world.log(self._blueprint), self._world.guardian
        read, write = pipes.make()
        try:
            self._watch_log(instance)
            self._watch_first_output(instance)
            guardian.expect(self._charge(instance), read)
            log.attach(read, instance, _ignore, self._inputs.redactor())
            read = -1
            start = self._start_page if self._blueprint.page else self._start_program
            child = start(instance, write)
        finally:
            os.close(write)
            if read >= 0:
                os.close(read)
        guardian.spawned(instance, child.pid, child.created, child.session)
        return child

    def _start_program(self, instance: str, output: int) -> process.Child:
        sockets = self._sockets_to_hand_over()
        launch = compose(self._blueprint, self._inputs, instance, output, sockets)
        self._env = launch.env
        self._let_ports_go()
        return spawn(self._blueprint, launch)

    def _start_page(self, instance: str, output: int) -> process.Child:
        from actors.page_server import serve_page

        held = self._held.take(next(iter(self._ports().values()), 0))
        self._page = serve_page(self._blueprint, self._inputs, instance, output, held)
        return self._page.child

    def _charge(self, instance: str) -> Charge:
        stop = self._service.stop
        return Charge(
            service=self._service.id,
            instance=instance,
            signal=stop_signal(stop.signal),
            grace_s=stop.timeout_ms / 1000,
            depends_on=self._blueprint.depends_on,
            log_path=self._blueprint.log_path,
            http=self._blueprint.stop_address(self._inputs),
            secrets=encoded(self._inputs.secrets),
        )

    def _watch(self, child: process.Child) -> None:
        """Have the exit told together with the last lines of the log, which are read first."""
        incarnation, ref = self._life.incarnation, self.actor_ref
        log = self._world.log(self._blueprint)

        def exited() -> None:
            code = child.poll()
            ended = 255 if code is None else code
            log.drain(
                child.instance,
                lambda drained: ref.tell(
                    ProcessExited(incarnation, ended, drained.tail.decode("utf-8", "replace"))
                ),
            )

        process.watch_exit(self._world.loop, child, exited)

    def _watch_log(self, instance: str) -> None:
        """Have the pattern that makes the service ready looked for from the first byte on."""
        wanted = readiness.criterion(self._service)
        if wanted.condition is not readiness.Condition.LOGGED:
            return
        incarnation, ref = self._life.incarnation, self.actor_ref
        try:
            matcher = compile_pattern(wanted.pattern)
        except BadPattern as error:
            raise CannotLaunch(f"service '{self._service.id}': {error}", fatal=True) from error
        self._world.log(self._blueprint).watch(
            instance, matcher, lambda _: ref.tell(BecameReady(incarnation))
        )

    def _watch_first_output(self, instance: str) -> None:
        if self._life.incarnation == 1:
            mark, id_ = self._world.mark, self._service.id
            self._world.log(self._blueprint).watch(
                instance, AnyOutput(), lambda _: mark(timeline.OUTPUT, id_)
            )

    def _await_readiness(self, _: Effect) -> tuple[Message, ...]:
        incarnation, ref = self._life.incarnation, self.actor_ref
        wanted = readiness.criterion(self._service)
        if wanted.condition is readiness.Condition.ALIVE:
            return (BecameReady(incarnation),)
        try:
            self._probe = self._new_probe(wanted.port_name)
        except CannotLaunch as error:
            return (ProgressMade(incarnation, str(error)),)
        self._probe.until_ready(
            wanted,
            self._service.health,
            lambda: ref.tell(BecameReady(incarnation)),
            lambda: self._world.mark(timeline.LISTENING, self._service.id),
        )
        return ()

    def _await_failure(self, _: Effect) -> tuple[Message, ...]:
        incarnation, ref = self._life.incarnation, self.actor_ref
        self._ready_at = time.time()
        self._world.mark(timeline.READY, self._service.id)
        if self._service.migrations:
            self._forget_snapshot()
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

    def _forget_snapshot(self) -> None:
        """The upgraded service has been ready: the data before the upgrade is not needed."""
        snapshots, id_ = self._world.stores.snapshots, self._service.id
        threading.Thread(target=lambda: snapshots.drop(id_), name="snapshot", daemon=True).start()

    def _new_probe(self, port_name: str) -> Probe:
        target = self._blueprint.target(self._inputs, self._env, port_name)
        return Probe(self._world.loop, self._world.listening, target)

    def _end_tree(self, _: Effect) -> tuple[Message, ...]:
        self._stop_probing()
        if self._child is None:
            return self._end_preparation()
        self._ask()
        return ()

    def _end_preparation(self) -> tuple[Message, ...]:
        """Cut the preparation short, which says when it has ended; without one nothing is left."""
        if self._preparation is None:
            return (TreeEmptied(self._life.incarnation),)
        self._preparation.cancel()
        return ()

    def _clear_tree(self, _: Effect) -> tuple[Message, ...]:
        self._stop_probing()
        return self._look_at_tree()

    def _kill_tree(self, _: Effect) -> tuple[Message, ...]:
        self._stop_probing()
        self._killing = True
        return self._look_at_tree()

    def _look_at_tree(self) -> tuple[Message, ...]:
        """See what is left: nothing, or processes to ask or to kill, and then to look at again."""
        child = self._child
        if child is None:
            return self._end_preparation()
        if self._killing:
            child.kill()
        if child.poll() is not None and not child.survivors():
            return self._bury(child)
        if not self._killing:
            self._ask()
        self._arm(lifecycle.Arm(Timer.TREE, LOOK_AGAIN))
        return ()

    def _bury(self, child: process.Child) -> tuple[Message, ...]:
        """Nothing of the tree is left: let go of all that belonged to it."""
        incarnation = self._life.incarnation
        self._child = None
        self._world.log(self._blueprint).detach(child.instance)
        self._world.guardian.forget(child.instance)
        child.close()
        if self._page is not None:
            self._page.close()
            self._page = None
        never_ready = self._life.ready_at is None and self._life.then is Then.RETRY
        lost = self._hold_ports() if never_ready else ()
        if lost:
            return (PortsLost(incarnation, lost),)
        return (TreeEmptied(incarnation),)

    def _ask(self) -> None:
        """Ask the tree to stop, once: over HTTP if the service has that, else by its signal."""
        child = self._child
        if self._asked or child is None:
            return
        self._asked = True
        signal_name = self._service.stop.signal
        address = self._blueprint.stop_address(self._inputs)
        if self._page is not None:
            self._page.ask_to_stop()
        elif address is not None and child.poll() is None:
            port, path = address
            refused, ref = StopRefused(self._life.incarnation), self.actor_ref
            request_stop(self._world.loop, port, path, lambda: ref.tell(refused))
        elif not child.ask_to_stop(signal_name):
            self._killing = True
            self._arm(lifecycle.Arm(Timer.TREE, 0))

    def _signal(self, refused: StopRefused) -> None:
        """The service did not take the request to stop: send the signal instead."""
        if self._child is not None and refused.incarnation == self._life.incarnation:
            self._child.ask_to_stop(self._service.stop.signal)

    def _move_upstream(self, moved: PortsMoved) -> None:
        """A page finds its API on another port without being started anew."""
        if self._page is not None:
            from actors.page_server import upstream_port

            self._page.move_upstream(upstream_port(self._blueprint, Inputs(moved.ports)))

    def _stop_probing(self) -> None:
        if self._probe is not None:
            self._probe.stop()
            self._probe = None

    def _arm(self, effect: lifecycle.Arm) -> None:
        self._disarm(lifecycle.Disarm(effect.timer))
        fired, ref = TimerFired(self._life.incarnation, effect.timer), self.actor_ref
        self._timers[effect.timer] = self._world.loop.call_at(
            time.monotonic() + effect.seconds, lambda: ref.tell(fired)
        )

    def _disarm(self, effect: lifecycle.Disarm) -> None:
        timer = self._timers.pop(effect.timer, None)
        if timer is not None:
            timer.cancel()

    def _note(self, effect: lifecycle.Note) -> None:
        self._world.emit(effect.event, self._service.id, **effect.details)

    def _report_failure(self, effect: lifecycle.ReportFailure) -> None:
        self._supervisor.tell(ServiceFailed(self._service.id, effect.reason))

    def _report_ports(self, effect: lifecycle.ReportPorts) -> None:
        self._held.release_all()
        self._supervisor.tell(PortsTaken(self._service.id, effect.names))

    def _release_ports(self, _: Effect) -> None:
        self._held.release_all()

    # Ports

    def _ports(self) -> dict[str, int]:
        return self._inputs.ports.get(self._service.id, {})

    def _hold_ports(self) -> tuple[str, ...]:
        """Claim all ports of the service until the spawn; return the names of lost ones."""
        return tuple(
            name
            for name, port in self._ports().items()
            if not (self._world.reserved.move(port, self._held) or self._held.hold(port))
        )

    def _sockets_to_hand_over(self) -> tuple[tuple[str, int], ...]:
        if not process.SOCKET_ACTIVATION:
            return ()
        wanted = [r.name for r in self._service.port_requests if r.requires_socket]
        found = [(name, self._held.listen(self._ports()[name])) for name in wanted]
        return tuple((name, fd) for name, fd in found if fd is not None)

    def _let_ports_go(self) -> None:
        kept = {r.name for r in self._service.port_requests if r.requires_socket}
        for name, port in self._ports().items():
            if name not in kept or not process.SOCKET_ACTIVATION:
                self._held.release(port)

    # The picture for the supervisor

    def _report(self) -> None:
        life, service = self._life, self._service
        self._supervisor.tell(
            ServiceChanged(
                ServiceView(
                    id=service.id,
                    state=life.state,
                    message=life.message,
                    updated_at=time.time(),
                    critical=service.critical,
                    skip_reason=str(service.metadata.get("skip_reason", "")),
                    restarts=life.history.total,
                    pid=life.pid,
                    incarnation=life.incarnation,
                    instance=self._blueprint.instance(life.incarnation) if life.incarnation else "",
                    exit_code=life.exit_code,
                    started_at=self._started_at,
                    ready_at=self._ready_at if life.state is State.READY else None,
                    log_path=self._blueprint.log_path,
                )
            )
        )


def stop_signal(name: str) -> int:
    """Return the number of a stop signal; SIGTERM's where the platform does not know it."""
    import signal

    return int(getattr(signal, name, signal.SIGTERM))


def _ignore(_: object) -> None:
    """The end of a pipe says nothing that the exit does not."""


PERFORM: dict[type[Effect], Callable[[ServiceActor, Any], tuple[Message, ...] | None]] = {
    lifecycle.Prepare: ServiceActor._prepare,
    lifecycle.Launch: ServiceActor._launch,
    lifecycle.AwaitReadiness: ServiceActor._await_readiness,
    lifecycle.AwaitFailure: ServiceActor._await_failure,
    lifecycle.EndTree: ServiceActor._end_tree,
    lifecycle.ClearTree: ServiceActor._clear_tree,
    lifecycle.KillTree: ServiceActor._kill_tree,
    lifecycle.Arm: ServiceActor._arm,
    lifecycle.Disarm: ServiceActor._disarm,
    lifecycle.Note: ServiceActor._note,
    lifecycle.ReportFailure: ServiceActor._report_failure,
    lifecycle.ReportPorts: ServiceActor._report_ports,
    lifecycle.ReleasePorts: ServiceActor._release_ports,
}
