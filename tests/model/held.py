"""A service of the product's core that is held to the rules at each step, and its faults."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from bundlevisor.actors.core import effects
from bundlevisor.actors.core.life import Context, Life
from bundlevisor.actors.core.lifecycle import step
from bundlevisor.actors.core.messages import (
    BecameReady,
    FailService,
    KillService,
    Launched,
    LaunchFailed,
    Message,
    PortsLost,
    Prepared,
    ProbeAnswered,
    ProcessExited,
    ResetFailures,
    ServiceChanged,
    StartService,
    StopService,
    Timer,
    TimerFired,
    TreeEmptied,
    WaitAgain,
)
from bundlevisor.actors.core.report import AfterStop, Stage
from tests.actors.core.scheduled_actor import Actor
from tests.model import rules

if TYPE_CHECKING:
    from tests.model.world import World

Fault = str
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

    def take_over(self, life: Life, *, alive: bool) -> None:
        super().take_over(life, alive=alive)
        self.told = False  # nobody has ordered its end
        self.model.is_taken_over(life.incarnation, life.stage.value)

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
            case WaitAgain() if not self.alive:
                model.waits_again()
            case BecameReady():
                model.ready(now)
            case ProbeAnswered():
                model.probed(well=not event.trouble)
            case ProcessExited():
                model.exits(event.code)
            case TreeEmptied() | Prepared():
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
                model.reset_failures()
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
