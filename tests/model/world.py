"""The product's core in a world of faults, each step of it compared with the rules."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from bundlevisor.actors.core import effects
from bundlevisor.actors.core.life import Context
from bundlevisor.actors.core.lifecycle import step
from bundlevisor.actors.core.messages import (
    BecameReady,
    CommandRestart,
    CommandStart,
    CommandStop,
    FailService,
    KillBundle,
    KillService,
    Launched,
    LaunchFailed,
    Message,
    PortsLost,
    Prepared,
    ProbeAnswered,
    ProcessExited,
    ResetFailures,
    SecretsChanged,
    ServiceActorFailed,
    ServiceChanged,
    ServiceFailed,
    StartService,
    StopBundle,
    StopService,
    Timer,
    TimerFired,
    TreeEmptied,
)
from bundlevisor.actors.core.report import AfterStop, Stage
from bundlevisor.actors.core.snapshot import Phase, State
from bundlevisor.manifest.format.schema import Manifest
from tests.actors.scheduled import Actor, Scheduled
from tests.model import rules

AT_REST = (State.STOPPED, State.FAILED)
LIVE = (State.STARTING, State.READY, State.UNHEALTHY, State.STOPPING)
ACTIONS = {CommandStart: "start", CommandStop: "stop", CommandRestart: "restart"}
Fault = str
DISTURBING = (*ACTIONS, SecretsChanged, StopBundle, KillBundle, ServiceFailed, ServiceActorFailed)
FAULTS: tuple[Fault, ...] = ("deaf", "sluggish", "portless", "unspawnable")
"""What may be wrong with the next run of a service."""


class Held(Actor):
    """A service that is held to the rules; ``faults`` are what its next run suffers from."""

    def __init__(self, world: World, id_: str) -> None:
        super().__init__(world, id_)
        service = world.services[id_]
        self.model = rules.Service(world.policies[id_], service.health.retries)  # type: ignore[union-attr]
        self._timers: dict[Timer, float] = {}
        self._suffers: set[Fault] = set()
        self.broken = False

    def tell(self, message: Message) -> None:
        if isinstance(message, StartService):
            self._world.started.append(self.id)
        elif isinstance(message, FailService):
            self._world.given_up.append((self.id, message))
        elif isinstance(message, StopService) and self.life.stage is Stage.STOPPING:
            self.told = True  # it ends by itself: only what follows is told, and out of order
        if not self.broken:  # else nobody hears it
            super().tell(message)

    def take_over(self) -> None:
        super().take_over()
        self.told = False  # nobody has ordered its end
        self.model.is_taken_over(self.life.incarnation, alive=True)

    def forget(self) -> None:
        self.broken = True
        self._timers = {}
        super().forget()

    def steps(self) -> list[Callable[[], None]]:
        fire = [partial(self._fire, timer) for timer in self._timers if self._is_due(timer)]
        return [*super().steps(), *fire]

    def end(self, code: int) -> None:
        """Its process ends by itself, if there is one."""
        if self.alive and not self.broken:
            self._world.disturb()
            self._offered = [
                m for m in self._offered if not isinstance(m, BecameReady | ProcessExited)
            ]
            self._happen_now(ProcessExited(self.life.incarnation, code))

    def probe(self, trouble: str) -> None:
        """Its health check is answered."""
        if self.alive and not self.broken:
            self._world.disturb()
            self._receive(ProbeAnswered(self.life.incarnation, trouble))

    def _happen_now(self, message: Message) -> None:
        self._offered.append(message)
        self._happen(message)

    def _is_due(self, timer: Timer) -> bool:
        if timer in (Timer.READINESS, Timer.STARTUP):
            return "sluggish" in self._suffers
        return timer is Timer.BACKOFF or (timer is Timer.GRACE and "deaf" in self._suffers)

    def _fire(self, timer: Timer) -> None:
        due = self._timers.pop(timer)
        self._world.clock = max(self._world.clock, due)
        self._receive(TimerFired(self.life.incarnation, timer))

    def _receive(self, message: Message) -> None:
        before = self.life
        events: deque[Message] = deque([message])
        while events:
            event = events.popleft()
            self._tell_model(event)
            context = Context(self._world.services[self.id], self._world.clock)
            self.life, due = step(self.life, event, context)
            for effect in due:
                events.extend(self._perform(effect))
            self._compare(event)
        if self.life != before:
            self._world.to_supervisor(ServiceChanged(self._report()))

    def _compare(self, event: Message) -> None:
        model, life = self.model, self.life
        assert (life.stage.value, life.incarnation) == (model.stage, model.runs), (
            f"{self.id} is {life.stage.value} in run {life.incarnation} after {event},"
            f" by the rules {model.stage} in run {model.runs}"
        )
        if model.stage == "backoff" and isinstance(event, TreeEmptied | LaunchFailed):
            pause = self._timers[Timer.BACKOFF] - self._world.clock
            assert abs(pause - model.pause) < 1e-6, f"{self.id} pauses {pause}, not {model.pause}"

    def _tell_model(self, event: Message) -> None:
        model, now = self.model, self._world.clock
        if getattr(event, "incarnation", model.runs) != model.runs:
            return
        match event:
            case StartService():
                model.start(event.after)
            case BecameReady():
                model.ready(now)
            case ProbeAnswered():
                model.probed(well=not event.trouble)
            case ProcessExited():
                model.exits(event.code)
            case TreeEmptied():
                model.gone(now)
            case LaunchFailed():
                model.cannot_be_spawned(now)
            case PortsLost():
                model.loses_its_port(now)
            case StopService():
                model.stop("stopped" if event.then is AfterStop.STAY else "waiting")
            case KillService():
                model.stop("stopped")
            case ResetFailures():
                model.forgive()
            case FailService():
                model.fail()
            case TimerFired(timer=Timer.BACKOFF):
                model.pause_is_over()
            case TimerFired(timer=Timer.READINESS | Timer.STARTUP):
                model.too_slow()

    def _perform(self, effect: effects.Effect) -> list[Message]:
        number = self.life.incarnation
        match effect:
            case effects.Prepare():
                self._suffers, self._world.faults_of[self.id] = (
                    self._world.faults_of.get(self.id, set()),
                    set(),
                )
                self._offered = [Prepared(number)]
                return []
            case effects.Launch():
                return self._launch(number)
            case effects.AwaitReadiness() if "sluggish" in self._suffers:
                return []
            case effects.EndTree() if self.alive and "deaf" in self._suffers:
                return []
            case effects.EndTree():
                self._offered = [ProcessExited(number, -15) if self.alive else TreeEmptied(number)]
                return []
            case effects.ClearTree() | effects.KillTree():
                self.alive = False
                self._offered = [TreeEmptied(number)]
                return []
            case effects.Arm():
                self._timers[effect.timer] = self._world.clock + effect.seconds
                return []
            case effects.Disarm():
                self._timers.pop(effect.timer, None)
                return []
        return super()._perform(effect)

    def _launch(self, number: int) -> list[Message]:
        self._world.check_start(self)
        if "portless" in self._suffers:
            return [PortsLost(number, ("http",))]
        if "unspawnable" in self._suffers:
            return [LaunchFailed(number, "no such file")]
        self.alive, self.told = True, False
        return [Launched(number, 100 + number)]


class Safe:
    """A vault: services lack what has not been given."""

    def __init__(self, wanted: dict[str, tuple[str, ...]]) -> None:
        self._wanted = wanted
        self.values: set[str] = set()

    def missing(self, service_id: str) -> tuple[str, ...]:
        wanted = self._wanted.get(service_id, ())
        return tuple(name for name in wanted if name not in self.values)

    def values_for(self, service_id: str) -> dict[str, str]:
        return dict.fromkeys(self._wanted.get(service_id, ()), "value")

    def former_for(self, service_id: str) -> tuple[dict[str, str], ...]:
        return ()


class World(Scheduled):
    """A bundle whose services, group restarts and pictures are held to the rules."""

    actor_type = Held

    def __init__(self, manifest: Manifest, policies: dict[str, rules.Policy]) -> None:
        self.policies = policies
        self.needs = {one.id: tuple(one.dependencies) for one in manifest.services}
        self.safe = Safe({one.id: tuple(one.secrets) for one in manifest.services})
        self.faults_of: dict[str, set[Fault]] = {}
        supervision = manifest.supervision
        self.group = rules.Group(
            supervision.strategy, supervision.intensity, supervision.period_ms / 1000
        )
        lazy = [one.id for one in manifest.services if one.on_demand]
        self.bundle = rules.Bundle(self.needs, lazy)
        self.broken: set[str] = set()
        self.orders: dict[str, tuple[bool, int]] = {}
        """The last command to each service: whether it is a stop, and the run that is no start."""
        self.done: set[str] = set()
        self.calm = True
        """Whether nothing has ended by itself since the last rest."""
        self.started: list[str] = []
        self.given_up: list[tuple[str, FailService]] = []
        super().__init__(manifest, vault=self.safe)

    def _spawn(self, id_: str, *rest: object, child: Any = None, incarnation: int = 0) -> Any:
        actor = super()._spawn(id_, *rest, child=child, incarnation=incarnation)
        if child is None:
            actor.model.runs = incarnation
        else:
            actor.alive = child.alive
        return actor

    def command(self, message: Message) -> Any:
        before, self.started = self.board.snapshot, []
        fails = self._expects_failure(message) if isinstance(message, ServiceFailed) else False
        refused = self._give(message)
        if type(message) in DISTURBING:
            self.done.clear()
        outcome = super().command(message)
        assert bool(outcome.conflict) is refused, f"{message}: {outcome}"
        for id_, told in self.given_up:
            assert isinstance(message, ServiceFailed), f"{id_} is failed ({told.reason})"
        assert bool(self.given_up) is fails, f"{message}: by the rules {fails}"
        self.given_up = []
        if type(message) in ACTIONS and not refused:
            self.orders[message.id] = (type(message) is CommandStop, outcome.after)  # type: ignore[attr-defined]
        self._check_picture(before.version)
        self._check_done()
        return outcome

    def disturb(self) -> None:
        """Something ends by itself: what was done may be so no longer."""
        self.done.clear()
        self.calm = False

    def _check_done(self) -> None:
        """What was done stays so, as long as nobody commands anything and nothing fails."""
        for id_, (stops, after) in self.orders.items() if self.calm else ():
            view = self.board.snapshot.services[id_]
            if stops:
                done = view.kept_down and view.state is State.STOPPED
            else:
                done = view.ready and view.incarnation > after
            assert done or id_ not in self.done, f"{id_} was done, and is so no longer: {view}"
            if done:
                self.done.add(id_)

    def _give(self, message: Message) -> bool:
        """Tell the model of a command; return whether it has to be refused."""
        action = ACTIONS.get(type(message))
        if action:
            self.bundle.command(action, message.id)  # type: ignore[attr-defined]
        refused = self.bundle.ended and (bool(action) or isinstance(message, SecretsChanged))
        self.bundle.ended |= isinstance(message, StopBundle | KillBundle)
        return refused

    def _expects_failure(self, message: ServiceFailed) -> bool:
        snapshot = self.board.snapshot
        live = [id_ for id_, view in snapshot.services.items() if view.state in LIVE]
        others = self.group.others(self.needs, message.id, live)
        if not others or snapshot.phase is not Phase.RUNNING:
            return False
        return not self.group.allows(self.clock)

    def _check_picture(self, before: int) -> None:
        snapshot = self.board.snapshot
        assert snapshot.version - before in (0, 1), "a picture was left out"
        shown = {
            id_: rules.Shown(view.state.value, view.kept_down, view.blocked, view.waiting_for)
            for id_, view in snapshot.services.items()
        }
        lacks = {id_: self.safe.missing(id_) for id_ in shown}
        wrong = rules.wrong_in_picture(self.needs, shown, lacks)
        for id_ in self.started:
            unready = [other for other in self.needs[id_] if shown[other].state != "ready"]
            if unready or lacks[id_]:
                wrong.append(f"{id_} is started without {(*unready, *lacks[id_])}")
            if id_ in self.bundle.down or self.bundle.ended:
                wrong.append(f"{id_} is started, and was stopped")
            if shown[id_].state == "stopping":
                wrong.append(f"{id_} is started, and its end ordered already")
        assert not wrong, "; ".join(wrong)

    def check_rest(self) -> None:
        """Everything is quiet: hold the bundle as a whole to what the commands have asked for."""
        if not self.calm:
            self.done.clear()
        self.calm = True
        self._check_done()
        stages = {id_: self._stage_of(id_) for id_ in self.needs}
        for id_, stage in stages.items():
            allowed = self.bundle.allowed(id_, stages, locked=bool(self.safe.missing(id_)))
            assert stage in allowed, f"{id_} is {stage}, should be {sorted(allowed)}"
            view = self.board.snapshot.services[id_]
            asleep = id_ not in self.bundle.wanted and stage == "waiting"
            assert view.state.value == ("inactive" if asleep else stage), f"{id_}: {view}"
            down = id_ in self.bundle.down or self.bundle.ended
            assert view.kept_down is down, f"{id_}: {view}"
        alive = {id_ for id_, actor in self.actors.items() if actor.alive}
        assert alive == {id_ for id_, stage in stages.items() if stage == "ready"}

    def _stage_of(self, id_: str) -> str:
        """Return where a service is; what rested when its actor broke is only shown to rest."""
        shown = self.board.snapshot.services[id_].state
        if id_ not in self.actors or (id_ in self.broken and shown in AT_REST):
            return "waiting" if shown is State.INACTIVE else shown.value
        return self.actors[id_].life.stage.value

    def actor(self, id_: str) -> Held | None:
        """Return a service's actor, if it has been told anything."""
        actor = self.actors.get(id_)
        return actor if isinstance(actor, Held) else None

    def break_actor(self, id_: str) -> None:
        actor = self.actor(id_)
        if actor and not actor.broken:
            self.broken.add(id_)
            self.disturb()
            super().break_actor(id_)
