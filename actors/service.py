"""One service: an actor that owns its process and does what the lifecycle decides.

Every message goes through :func:`bundlevisor.actors.core.lifecycle.step`; the effects that it
returns are carried out by :mod:`bundlevisor.actors.service_effects`, and may answer with a further
event at once. The actor never sleeps and never waits: exits, probes and timers arrive as messages
from the edges.
The process tree of one start is an :class:`bundlevisor.actors.incarnation.Incarnation`.
"""

from __future__ import annotations

import os
import time
from collections import deque
from typing import TYPE_CHECKING, Any

import pykka

from bundlevisor.actors.context import ServiceContext
from bundlevisor.actors.core import lifecycle
from bundlevisor.actors.core.life import Context, Life
from bundlevisor.actors.core.messages import (
    Message,
    ServiceActorFailed,
    ServiceChanged,
    TimerFired,
)
from bundlevisor.actors.core.report import Stage
from bundlevisor.actors.launch.spec import LaunchSpec
from bundlevisor.actors.loop.loop_actor import LoopActor, Teller
from bundlevisor.actors.service_effects import ServiceEffects
from bundlevisor.actors.service_report import report_of

if TYPE_CHECKING:
    from bundlevisor.actors.process.process_tree import ProcessTree


FIRST = Life()
"""Nothing has happened yet."""


class ServiceActor(LoopActor):
    """Owns one service, from its first start to the end of the runtime."""

    def __init__(
        self,
        spec: LaunchSpec,
        context: ServiceContext,
        supervisor: pykka.ActorRef[Any],
        life: Life = FIRST,
        child: ProcessTree | None = None,
    ) -> None:
        super().__init__(context.loop)
        self._spec = spec
        self._service = spec.service
        self._context = context
        self._supervisor = supervisor
        self._life = life
        self._orphan = child
        """The process of a broken predecessor."""
        self._effects = self._new_effects()
        self._is_broken = False
        """A successor has been asked for: what still comes is that one's."""

    def __str__(self) -> str:
        return f"service {self._service.id!r}"

    def on_start(self) -> None:
        """Take over what a broken predecessor left; the restart policy decides what follows."""
        if self._life.stage is not Stage.STOPPING:
            return
        try:
            events = self._effects.take_over(self._orphan, self._life)
        except Exception as error:  # noqa: BLE001 - nobody would follow one that ends here
            self._context.fault(f"service {self._service.id!r}, taken over", error)
            events = self._abandon()
        for event in events:
            self.actor_ref.tell(event)

    def on_receive(self, message: Message) -> None:
        """Handle one message; an error of ours ends this actor and is the supervisor's to mend."""
        if self._is_broken:
            return
        try:
            self._handle(message)
        except Exception as error:  # noqa: BLE001 - reported, and mended by a fresh actor
            self._context.fault(f"service {self._service.id!r}, {type(message).__name__}", error)
            self._give_up_ownership(error)

    def _handle(self, message: Message) -> None:
        before = self._life
        events = deque(self._effects.hear(message, self._life))
        while events:
            event = events.popleft()
            done = self._effects.act(event, self._life)
            events.extend(self._decide(event) if done is None else done)
        if self._life != before:
            report = report_of(self._life, self._spec, self._effects.moments)
            self._supervisor.tell(ServiceChanged(report))

    def _decide(self, event: Message) -> list[Message]:
        """Have the lifecycle decide and its effects performed; return the events that follow."""
        jitter = os.urandom(1)[0] / 256
        trouble = self._effects.trouble if isinstance(event, TimerFired) else ""
        seen = Context(self._service, time.monotonic(), jitter, trouble)
        self._life, due = lifecycle.step(self._life, event, seen)
        return [more for effect in due for more in self._effects.perform(effect, self._life)]

    def _new_effects(self) -> ServiceEffects:
        teller = Teller(self.actor_ref)
        return ServiceEffects(self._spec, self._context, self._supervisor, teller)

    def _abandon(self) -> tuple[Message, ...]:
        """Kill what cannot even be ended as any other; return what follows at once."""
        self._effects.let_go()
        self._effects = self._new_effects()
        if self._orphan is not None:
            self._orphan.kill()
        return self._effects.take_over(None, self._life)

    def _give_up_ownership(self, error: Exception) -> None:
        self._is_broken = True
        self._effects.let_go()
        self._supervisor.tell(
            ServiceActorFailed(
                self._service.id,
                f"{type(error).__name__}: {error}",
                self._effects.child,
                self._life.incarnation,
                self._life.history,
            )
        )
        self.stop()
