"""The services' actors as the supervisor has them: started late, told by numbered messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
import pykka

from bundlevisor.actors.core.messages import GetReady, Instruction, Message, PortsMoved
from bundlevisor.actors.core.report import LIVE, Report
from bundlevisor.actors.launch.page import pages_by_api
from bundlevisor.actors.loop.loop_actor import Teller

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bundlevisor.actors.core.life import Life
    from bundlevisor.actors.process.process_tree import ProcessTree
    from bundlevisor.manifest.format.schema import Service

SpawnActor = Callable[..., pykka.ActorRef[Any]]
"""Starts the actor of a service: ``(service_id, supervisor, life=Life(), child=None)``."""


class ServiceActors:
    """Only the supervisor's own turns use it."""

    def __init__(self, spawn_actor: SpawnActor, supervisor: pykka.ActorRef[Any]) -> None:
        self._spawn_actor = spawn_actor
        self._supervisor = supervisor
        self._refs: dict[str, Teller] = {}
        """Those of dead ones as well: an error of theirs is none of who tells all the others."""
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

    def _started(self, id_: str) -> Teller:
        if id_ not in self._refs:
            self._refs[id_] = Teller(self._spawn_actor(id_, self._supervisor))
        return self._refs[id_]

    def replace(self, id_: str, life: Life, child: ProcessTree | None) -> None:
        """Have a broken actor's successor go on with this life, and the process that it left."""
        self._refs[id_] = Teller(self._spawn_actor(id_, self._supervisor, life, child))
        self._given[id_] = 0


class PageApis:
    """Tells pages where the APIs behind them are; only the supervisor's own turns use it.

    A page that is started knows of none until it is told: what it was given before its preparation
    may not be so any more.
    """

    def __init__(
        self,
        services: Sequence[Service],
        actors: ServiceActors,
        reports: Mapping[str, Report],
        ports_of: Callable[[str], dict[str, int]],
    ) -> None:
        self._pages = pages_by_api(services)
        self._behind = {page: api for api, pages in self._pages.items() for page in pages}
        self._actors = actors
        self._reports = reports
        self._ports_of = ports_of

    def reported(self, before: Report, after: Report) -> None:
        """A service has reported: an API may have no process now, or a page may have one."""
        if (before.stage in LIVE) != (after.stage in LIVE):
            self.moved(after.id)
        if before.pid is None and after.pid is not None and after.id in self._behind:
            self._tell(after.id, self._behind[after.id])

    def moved(self, api: str) -> None:
        """Tell the pages of an API where that is now."""
        for page in self._pages.get(api, ()):
            self._tell(page, api)

    def _tell(self, page: str, api: str) -> None:
        """While an API has no process its port may be anybody's: pages must not ask there."""
        is_there = self._reports[api].stage in LIVE
        self._actors.tell(page, PortsMoved({api: self._ports_of(api)} if is_there else {}))
