"""The product's core in a world of faults, each step of it compared with the rules."""

from __future__ import annotations

from typing import Any

from bundlevisor.actors.core.life import Life
from bundlevisor.actors.core.messages import (
    CommandRestart,
    CommandStart,
    CommandStop,
    FailService,
    KillBundle,
    Message,
    PortsTaken,
    SecretsChanged,
    ServiceActorFailed,
    ServiceFailed,
    StopBundle,
)
from bundlevisor.actors.core.snapshot import Phase, ServiceView, State
from bundlevisor.manifest.format.schema import Manifest
from tests.actors.core.scheduled import Scheduled
from tests.actors.core.scheduled_actor import Actor
from tests.model import rules
from tests.model.held import Fault, Held

LIVE = (State.STARTING, State.READY, State.UNHEALTHY, State.STOPPING)
ACTIONS = {CommandStart: "start", CommandStop: "stop", CommandRestart: "restart"}
ASKING = (*ACTIONS, SecretsChanged)
"""What somebody does so that a bundle may become ready. Besides, a service whose actor breaks while
it is blocked is shown to stop until its policy has decided about it."""
DISTURBING = (*ACTIONS, SecretsChanged, StopBundle, KillBundle, ServiceFailed, ServiceActorFailed)


class Safe:
    """A vault: services lack what has not been given."""

    def __init__(self, wanted: dict[str, tuple[str, ...]]) -> None:
        self._wanted = wanted
        self.values: set[str] = set()

    def missing(self, service_id: str) -> tuple[str, ...]:
        wanted = self._wanted.get(service_id, ())
        return tuple(name for name in wanted if name not in self.values)

    def hindrance(self, _: str) -> str:
        return ""

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
        self.lazy = [one.id for one in manifest.services if one.on_demand]
        self.bundle = rules.Bundle(self.needs, self.lazy)
        self.ports = rules.Ports()
        self.orders: dict[str, tuple[bool, int]] = {}
        """The last command to each service: whether it is a stop, and the run that is no start."""
        self.done: set[str] = set()
        self.calm = True
        """Whether nothing has ended by itself since the last rest."""
        self.started: list[str] = []
        self.given_up: list[tuple[str, FailService]] = []
        super().__init__(manifest, vault=self.safe)

    def check_start(self, actor: Actor) -> None:
        """Nor is one spawned before what it needs is ready, once it has heard what it was told."""
        super().check_start(actor)
        shown = self.board.snapshot.services
        unready = [other for other in self.needs[actor.id] if not shown[other].ready]
        assert actor.inbox or not unready, f"{actor.id} is spawned without {unready}"

    def _spawn(self, id_: str, to: object, life: Life | None = None, child: Any = None) -> Any:
        before = self.actor(id_)
        actor = super()._spawn(id_, to, life, child)
        if before:
            actor.model.restarts = before.model.restarts
        return actor

    def command(self, message: Message) -> Any:
        before, self.started = self.board.snapshot, []
        fails = self._expects_failure(message) if isinstance(message, ServiceFailed) else False
        may_fail = isinstance(message, PortsTaken) and self.ports.loses(message.id)
        refused = self._give(message)
        if type(message) in DISTURBING:
            self.done.clear()
        outcome = super().command(message)
        if before.hopeless and not isinstance(message, (*ASKING, ServiceActorFailed)):
            assert self.board.snapshot.hopeless, f"{message} gave hope that was not to be had"
        assert bool(outcome.conflict) is refused, f"{message}: {outcome}"
        for id_, told in self.given_up:
            assert fails or may_fail, f"{id_} is failed ({told.reason})"
        assert self.given_up or not fails, f"{message}: by the rules it fails"
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
            if action != "stop":
                self.ports.command(message.id)  # type: ignore[attr-defined]
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

    def _shown(self) -> dict[str, rules.Shown]:
        return {id_: self._of(view) for id_, view in self.board.snapshot.services.items()}

    def _of(self, view: ServiceView) -> rules.Shown:
        lazy = view.id in self.lazy
        return rules.Shown(view.state.value, view.kept_down, view.blocked, view.waiting_for, lazy)

    def _outlook(self) -> str:
        """Return what ends a wait for readiness, as the picture says and the rules do."""
        snapshot = self.board.snapshot
        by_rules = rules.outlook(self._shown().values(), running=not self.bundle.ended)
        says = "hopeless" if snapshot.hopeless else "ready" if snapshot.ready else ""
        assert says == by_rules, f"the outlook is {says!r}, by the rules {by_rules!r}"
        return says

    def _check_picture(self, before: int) -> None:
        snapshot = self.board.snapshot
        assert snapshot.version - before in (0, 1), "a picture was left out"
        shown = self._shown()
        self._outlook()
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
        lacking = any(self.safe.missing(id_) for id_ in self.bundle.wanted)
        assert lacking or self._outlook(), "nothing happens any more, and a wait goes on"
        alive = {id_ for id_, actor in self.actors.items() if actor.alive}
        assert alive == {id_ for id_, stage in stages.items() if stage == "ready"}

    def _stage_of(self, id_: str) -> str:
        """Return where a service is; one that was never told anything is as it is shown."""
        shown = self.board.snapshot.services[id_].state
        if id_ not in self.actors:
            return "waiting" if shown is State.INACTIVE else shown.value
        return self.actors[id_].life.stage.value

    def actor(self, id_: str) -> Held | None:
        """Return a service's actor, if it has been told anything."""
        actor = self.actors.get(id_)
        return actor if isinstance(actor, Held) else None

    def break_actor(self, id_: str) -> None:
        actor = self.actor(id_)
        if actor and not actor.broken:
            self.disturb()
            super().break_actor(id_)
