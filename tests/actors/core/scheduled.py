"""A supervisor and its services without threads, processes and time: a test decides what is next.

The decisions are the product's own (:class:`bundlevisor.actors.supervisor.Supervisor` and
:func:`bundlevisor.actors.core.lifecycle.step`); messages wait in queues until they are delivered
one by one, and what a process, a timer or a probe would do is offered as a further step.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bundlevisor.actors.board import Board
from bundlevisor.actors.collaborators import Collaborators, NoSecrets, Plan
from bundlevisor.actors.core import dependencies, views
from bundlevisor.actors.core.desired import instruction, is_deferred, is_ending
from bundlevisor.actors.core.life import Life
from bundlevisor.actors.core.messages import (
    Message,
    Outcome,
    ServiceActorFailed,
    StartBundle,
)
from bundlevisor.actors.core.report import LIVE, Stage
from bundlevisor.actors.core.snapshot import Phase, ServiceView, Snapshot, State
from bundlevisor.actors.supervisor import Supervisor
from bundlevisor.manifest.format.schema import Manifest
from bundlevisor.manifest.plan.graph import Graph
from tests.actors.core.scheduled_actor import Actor

if TYPE_CHECKING:
    from bundlevisor.actors.collaborators import Vault


class NeverTurns:
    """The supervisor's loop: here a test calls the supervisor itself."""

    doing: tuple[object, ...] = ()

    def call_soon(self, callback: Callable[[], object]) -> None:
        pass

    def call_idle(self, callback: Callable[[], object], within: float) -> None:
        pass


class Users:
    """Chooses no ports: services name each other's as ``named`` says."""

    def __init__(self, named: dict[str, frozenset[str]]) -> None:
        self._named = named

    def move(self, service_id: str, names: tuple[str, ...], ports: Any) -> Any:
        moved = {name: port + 1 for name, port in ports[service_id].items()}
        return {**ports, service_id: moved}

    def complete(self, service_id: str, ports: Any) -> Any:
        raise AssertionError("nothing is short of ports")

    def users(self, service_id: str, names: tuple[str, ...]) -> frozenset[str]:
        return self._named.get(service_id, frozenset())


class Scheduled:
    """A bundle whose every step is chosen by the test. ``clock`` are its seconds."""

    actor_type: type[Actor] = Actor

    def __init__(
        self,
        manifest: Manifest,
        named: dict[str, frozenset[str]] | None = None,
        vault: Vault | None = None,
    ) -> None:
        self.clock = 0.0
        self.services = {service.id: service for service in manifest.services}
        self.graph = Graph.of(manifest)
        self._supervision = manifest.supervision
        self.actors: dict[str, Actor] = {}
        self.history: list[Snapshot] = []
        self.faults: list[BaseException] = []
        self.crashed = False
        self._inbox: deque[Message] = deque()
        first = {
            id_: ServiceView(
                id=id_, state=State.WAITING, message="", updated_at=0, on_demand=one.on_demand
            )
            for id_, one in self.services.items()
        }
        self.board = Board(Snapshot(version=1, phase=Phase.RUNNING, services=first))
        ports = {id_: {"http": 1000 * (n + 1)} for n, id_ in enumerate(self.services)}
        self._supervisor = Supervisor(
            Plan(manifest, self.graph, ports),
            Collaborators(
                board=self.board,
                emit=lambda *_, **__: None,
                fault=lambda _, error: self.faults.append(error),
                spawn_actor=self._spawn,
                chooser=Users(named or {}),
                now=lambda: self.clock,
                monotonic=lambda: self.clock,
                vault=vault or NoSecrets(),
            ),
            NeverTurns(),
        )
        self.command(StartBundle())

    def _spawn(self, id_: str, _: object, life: Life | None = None, child: Any = None) -> Any:
        actor = self.actors[id_] = self.actor_type(self, id_)
        if life is not None:
            actor.take_over(life, alive=child is not None)
        return actor

    def break_actor(self, id_: str) -> None:
        """Let an error of ours end an actor; what it has not heard is lost."""
        broken = self.actors[id_]
        child = broken if broken.alive else None
        life = broken.life
        self.to_supervisor(
            ServiceActorFailed(id_, "an error", child, life.incarnation, life.history)
        )
        broken.inbox.clear()
        broken.forget()

    def command(self, message: Message) -> Outcome:
        """Have the supervisor handle a command now, before whatever waits in its inbox."""
        outcome = self._supervisor.on_receive(message)
        for fault in self.faults:
            raise fault
        self.history.append(self.board.snapshot)
        self._check_nobody_is_missed()
        return outcome if isinstance(outcome, Outcome) else Outcome()

    def _check_nobody_is_missed(self) -> None:
        """What the supervisor has seen of those for whom something changed is so for all.

        But for those that it looks at after the next message: a start may make a stop due.
        """
        state, picture = self._supervisor._state, self._supervisor._picture
        tree = state.tree()
        obstacles = views.new_obstacles(tree, {}, tree.reports)
        assert picture._blocking == obstacles
        live = {id_ for id_, report in tree.reports.items() if report.stage in LIVE}
        assert state.all_down is not bool(live)
        ends = {id_ for id_, wish in tree.desired.items() if is_ending(wish, tree.reports[id_])}
        assert tree.ending == ends
        if self.board.snapshot.phase is Phase.RUNNING:
            others = tree.reports.keys() - state._may_start
            assert not dependencies.startable(tree, self._supervision, others)
        for id_ in tree.desired.keys() - state._may_be_told:
            wish = tree.desired[id_]
            report = tree.reports[id_]
            deferred = is_deferred(report) and not dependencies.may_be_told(tree, id_)
            assert deferred or instruction(wish, report) is None, f"{id_} was not told: {wish}"

    def stage(self, id_: str) -> Stage:
        """Return the stage of a service; one that was never told anything is as it is shown."""
        if id_ in self.actors:
            return self.actors[id_].life.stage
        return Stage(self.board.snapshot.services[id_].state.value)

    def to_supervisor(self, message: Message) -> None:
        """Put a message into the supervisor's inbox."""
        self._inbox.append(message)

    def steps(self) -> list[Callable[[], None]]:
        """Return everything that may happen next; empty when all is quiet."""
        own = [self._hear] if self._inbox else []
        return [*own, *(step for actor in self.actors.values() for step in actor.steps())]

    def run(self, choose: Callable[[int], int], most: int = 2000) -> int:
        """Let happen what ``choose`` picks of so many steps, until all is quiet or ``most``."""
        for taken in range(most):
            possible = self.steps()
            if not possible:
                return taken
            possible[choose(len(possible))]()
        return most

    def _hear(self) -> None:
        self.command(self._inbox.popleft())

    def check_start(self, actor: Actor) -> None:
        """Never two processes of one service, and none before what it needs."""
        assert not actor.alive, f"{actor.id} is started twice"

    def check_stop(self, actor: Actor) -> None:
        """Nothing is told to stop while a dependent that is told as well still runs."""
        above = self.graph.all_dependents(actor.id)
        late = [id_ for id_, one in self.actors.items() if id_ in above and one.alive and one.told]
        assert not late, f"{actor.id} is stopped before {late}"
