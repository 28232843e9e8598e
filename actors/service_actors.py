"""The services' actors as the supervisor has them: started late, told by numbered messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
import pykka

from bundlevisor.actors.core.messages import GetReady, Instruction, Message
from bundlevisor.actors.core.report import Report

if TYPE_CHECKING:
    from bundlevisor.actors.core.life import Life
    from bundlevisor.actors.process.process_tree import ProcessTree

SpawnActor = Callable[..., pykka.ActorRef[Any]]
"""Starts the actor of a service: ``(service_id, supervisor, life=Life(), child=None)``."""


class ServiceActors:
    """Only the supervisor's own turns use it."""

    def __init__(self, spawn_actor: SpawnActor, supervisor: pykka.ActorRef[Any]) -> None:
        self._spawn_actor = spawn_actor
        self._supervisor = supervisor
        self._refs: dict[str, pykka.ActorRef[Any]] = {}
        self._given: dict[str, int] = {}
        """The number of the last instruction to each service."""

    def __contains__(self, id_: str) -> bool:
        return id_ in self._refs

    def instruct(self, id_: str, instruction: Instruction) -> None:
        """Send to a service; its actor is started with the first message."""
        number = self._given[id_] = self._given.get(id_, 0) + 1
        self._started(id_).tell(msgspec.structs.replace(instruction, number=number))

    def get_ready(self, id_: str, message: GetReady) -> None:
        """Send what is no instruction to a service that has perhaps had none yet."""
        self._started(id_).tell(message)

    def tell(self, id_: str, message: Message) -> None:
        """Send what is no instruction, if there is anybody to hear it."""
        if id_ in self._refs:
            self._refs[id_].tell(message)

    def tell_all(self, message: Message) -> None:
        """Send it to every actor that there is."""
        for ref in self._refs.values():
            ref.tell(message)

    def is_news(self, report: Report) -> bool:
        """Whether it was made after the last instruction to its service was heard."""
        return report.heard >= self._given.get(report.id, 0)

    def _started(self, id_: str) -> pykka.ActorRef[Any]:
        if id_ not in self._refs:
            self._refs[id_] = self._spawn_actor(id_, self._supervisor)
        return self._refs[id_]

    def replace(self, id_: str, life: Life, child: ProcessTree | None) -> None:
        """Have a broken actor's successor go on with this life, and the process that it left."""
        self._refs[id_] = self._spawn_actor(id_, self._supervisor, life, child)
        self._given[id_] = 0
