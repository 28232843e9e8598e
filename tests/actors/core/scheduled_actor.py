"""One service of a scheduled bundle: its inbox, its life, and what its process can do next."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from bundlevisor.actors.core import effects
from bundlevisor.actors.core.life import Context, Life
from bundlevisor.actors.core.lifecycle import step
from bundlevisor.actors.core.messages import (
    BecameReady,
    Launched,
    Message,
    PortsTaken,
    Prepared,
    ProcessExited,
    ServiceChanged,
    ServiceFailed,
    StopService,
    Timer,
    TimerFired,
    TreeEmptied,
)
from bundlevisor.actors.core.report import Report, Stage


class Actor:
    """One service: its inbox, its life, and what its process can do next."""

    def __init__(self, world: Any, id_: str) -> None:
        self.id = id_
        self.inbox: deque[Message] = deque()
        self.life = Life()
        self.alive = False
        self.told = False
        """Whether its present process is to be told to stop."""
        self._world = world
        self._offered: list[Message] = []

    def tell(self, message: Message) -> None:
        """Put a message into the inbox, as pykka's ActorRef does."""
        if isinstance(message, StopService) and self.alive:
            known = self.told or any(isinstance(one, StopService) for one in self.inbox)
            if not known:
                self._world.check_stop(self)
            self.told = True
        self.inbox.append(message)

    def steps(self) -> list[Callable[[], None]]:
        """Return what may happen to this service next."""
        offered = [partial(self._happen, message) for message in self._offered]
        return [self._hear, *offered] if self.inbox else [*offered]

    def take_over(self, life: Life, *, alive: bool) -> None:
        """Begin as the successor of a broken actor: its process, if there is one, is ended."""
        self.life = life
        self.alive = self.told = alive
        if life.stage is Stage.STOPPING:
            number = life.incarnation
            self._offered = [ProcessExited(number, 0) if alive else TreeEmptied(number)]

    def forget(self) -> None:
        """Nothing happens to this one any more."""
        self._offered = []

    def crash(self) -> None:
        """The process ends by itself, if there is one."""
        if self.alive:
            self._world.crashed = True
            self._offered = [m for m in self._offered if not isinstance(m, BecameReady)]
            self.alive = False
            self._receive(ProcessExited(self.life.incarnation, 1))

    def _hear(self) -> None:
        self._receive(self.inbox.popleft())

    def _happen(self, message: Message) -> None:
        self._offered.remove(message)
        if isinstance(message, ProcessExited):
            self.alive = False
        self._receive(message)

    def _receive(self, message: Message) -> None:
        before = self.life
        events: deque[Message] = deque([message])
        while events:
            service = self._world.services[self.id]
            self.life, due = step(self.life, events.popleft(), Context(service, self._world.clock))
            for effect in due:
                events.extend(self._perform(effect))
        if self.life != before:
            self._world.to_supervisor(ServiceChanged(self._report()))

    def _perform(self, effect: effects.Effect) -> list[Message]:
        number = self.life.incarnation
        match effect:
            case effects.Prepare():
                return [Prepared(number)]
            case effects.Launch():
                self._world.check_start(self)
                self.alive, self.told = True, False
                return [Launched(number, 100 + number)]
            case effects.AwaitReadiness():
                self._offered.append(BecameReady(number))
            case effects.EndTree():
                self.told = True
                self._offered = [ProcessExited(number, 0)] if self.alive else []
                return [] if self.alive else [TreeEmptied(number)]
            case effects.ClearTree() | effects.KillTree():
                self._offered = []
                self.alive = False
                return [TreeEmptied(number)]
            case effects.Arm(timer=Timer.BACKOFF):
                self._offered.append(TimerFired(number, effect.timer))
            case effects.Disarm(timer=Timer.BACKOFF):
                self._offered = [m for m in self._offered if not isinstance(m, TimerFired)]
            case effects.ReportFailure():
                self._world.to_supervisor(ServiceFailed(self.id, effect.reason))
            case effects.ReportPorts():
                self._world.to_supervisor(PortsTaken(self.id, effect.names))
        return []

    def _report(self) -> Report:
        life = self.life
        return Report(
            id=self.id,
            stage=life.stage,
            heard=life.heard,
            then=life.then,
            stop_cause=life.stop_cause,
            message=life.message,
            incarnation=life.incarnation,
            pid=life.pid,
            exit_code=life.exit_code,
        )
