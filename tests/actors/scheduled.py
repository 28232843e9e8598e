"""A supervisor and its services without threads, processes and time: a test decides what is next.

The decisions are the product's own (:class:`bundlevisor.actors.supervisor.Supervisor` and
:func:`bundlevisor.actors.core.lifecycle.step`); messages wait in queues until they are delivered
one by one, and what a process, a timer or a probe would do is offered as a further step.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from bundlevisor.actors.core import dependencies, effects
from bundlevisor.actors.core.collaborators import Collaborators, NoSecrets, Plan
from bundlevisor.actors.core.desired import instruction, is_deferred, is_ending
from bundlevisor.actors.core.life import Context, Life
from bundlevisor.actors.core.lifecycle import step
from bundlevisor.actors.core.messages import (
    BecameReady,
    Launched,
    Message,
    Outcome,
    PortsTaken,
    Prepared,
    ProcessExited,
    ServiceActorFailed,
    ServiceChanged,
    ServiceFailed,
    StartBundle,
    StopService,
    Timer,
    TimerFired,
    TreeEmptied,
)
from bundlevisor.actors.core.report import LIVE, AfterStop, Report, Stage, StopCause
from bundlevisor.actors.core.snapshot import Board, Phase, ServiceView, Snapshot, State
from bundlevisor.actors.supervisor import Supervisor
from bundlevisor.manifest.format.schema import Manifest
from bundlevisor.manifest.plan.graph import Graph

if TYPE_CHECKING:
    from bundlevisor.actors.core.collaborators import Vault


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

    def take_over(self) -> None:
        """Begin as the successor of a broken actor: its process is ended."""
        self.alive = self.told = True
        self.life = msgspec.structs.replace(
            self.life, stage=Stage.STOPPING, then=AfterStop.RETRY, stop_cause=StopCause.BROKEN
        )
        self._offered = [ProcessExited(self.life.incarnation, 0)]

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
            id_: ServiceView(id=id_, state=State.WAITING, message="", updated_at=0)
            for id_ in self.services
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

    def _spawn(self, id_: str, *_: object, child: object = None, incarnation: int = 0) -> Any:
        actor = self.actors[id_] = self.actor_type(self, id_)
        actor.life = Life(incarnation=incarnation)
        if child is not None:
            actor.take_over()
        return actor

    def break_actor(self, id_: str) -> None:
        """Let an error of ours end an actor; what it has not heard is lost."""
        broken = self.actors[id_]
        child = broken if broken.alive else None
        self.to_supervisor(ServiceActorFailed(id_, "an error", child, broken.life.incarnation))
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
        obstacles = dependencies.new_obstacles(tree, {}, tree.reports)
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
