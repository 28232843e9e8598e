"""The documented rules as a program: what a service does next, and what a bundle comes to.

This is the second opinion to which the product is held, step by step and at rest. It knows nothing
of how the product is built: services are told things, processes end, time goes by. The rules in
words are in docs/services.md and docs/bundle.md (``restart``, ``supervision``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

LIVE = ("starting", "ready", "stopping")
AT_REST = ("stopped", "failed")
Needs = Mapping[str, tuple[str, ...]]


class Policy(NamedTuple):
    """A service's ``restart``, in seconds."""

    policy: str = "on_failure"
    intensity: int = 5
    period: float = 60.0
    backoff: float = 0.1
    factor: float = 2.0
    longest: float = 30.0


class Restarts:
    """Which ends of a service, that nobody ordered, are followed by a start, and how soon."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.times: list[float] = []
        self.in_a_row = 0

    def reset_failures(self) -> None:
        """Somebody asks for it: earlier failures do not count."""
        self.times, self.in_a_row = [], 0

    def after(self, now: float, ready_for: float | None, *, clean: bool) -> str | float:
        """Return the seconds until it is started again, or where it rests: AT_REST."""
        policy = self.policy
        if policy.policy == "never" or (policy.policy == "on_failure" and clean):
            return "stopped" if clean else "failed"
        self.times = [t for t in self.times if now - t < policy.period]
        if len(self.times) >= policy.intensity:
            return "failed"
        if ready_for is not None and ready_for >= policy.period:
            self.in_a_row = 0
        at_once = ready_for is not None and self.in_a_row == 0
        doubled = self.in_a_row if ready_for is None else self.in_a_row - 1
        self.times.append(now)
        self.in_a_row += 1
        return 0.0 if at_once else min(policy.backoff * policy.factor**doubled, policy.longest)


class Service:
    """One service: where it stands after what it has heard."""

    def __init__(self, policy: Policy, retries: int) -> None:
        self.restarts = Restarts(policy)
        self.retries = retries
        self.stage = "waiting"
        self.runs = 0
        self.pause = 0.0
        self._order = ""  # what follows what is under way: stopped, waiting or what the policy says
        self._clean = False
        self._ready_since: float | None = None
        self._consecutive_failures = 0

    def start(self, after: int) -> None:
        """It is told to start, which is meant for the run after this one."""
        if self.stage == "waiting" and after == self.runs:
            self.stage, self.runs = "starting", self.runs + 1
            self._ready_since, self._consecutive_failures, self._order = None, 0, ""

    def waits_again(self) -> None:
        """What it needs was lost before it was spawned: it waits for that once it is prepared."""
        if self.stage == "starting":
            self._order = "waiting"

    def ready(self, now: float) -> None:
        """Its readiness has been seen."""
        if self.stage == "starting":
            self.stage, self._ready_since = "ready", now

    def probed(self, *, well: bool) -> None:
        """A health check has been answered."""
        if self.stage == "ready":
            self._consecutive_failures = 0 if well else self._consecutive_failures + 1
            if self._consecutive_failures >= self.retries:
                self._fails()

    def too_slow(self) -> None:
        """The time for its start is over."""
        if self.stage == "starting":
            self._fails()

    def exits(self, code: int) -> None:
        """Its process has ended."""
        if self.stage in ("starting", "ready"):
            self._fails(clean=code == 0 and self._ready_since is not None)

    def cannot_be_spawned(self, now: float) -> None:
        """There is no process: no program, for instance, or it lost what it needs meanwhile."""
        if self.stage == "starting" and not self._order:
            self._fails()
        self.gone(now)

    def loses_its_port(self, now: float) -> None:
        """Somebody else has its port: that is no failure, another one is chosen."""
        if self.stage == "stopping" and self._order:
            self.gone(now)
        elif self.stage in ("starting", "stopping"):
            self.stage = "waiting"

    def gone(self, now: float) -> None:
        """Nothing of its run is left, or of what was prepared for it."""
        if self._order and self.stage in ("starting", "stopping"):
            self.stage = self._order
        if self.stage != "stopping":
            return
        ready_for = None if self._ready_since is None else now - self._ready_since
        follows = self.restarts.after(now, ready_for, clean=self._clean)
        if isinstance(follows, str):
            self.stage = follows
        else:
            self.stage, self.pause = ("backoff" if follows else "waiting"), follows

    def pause_is_over(self) -> None:
        """It has waited long enough."""
        if self.stage == "backoff":
            self.stage = "waiting"

    def stop(self, then: str) -> None:
        """It is told to stop, and to be ``stopped`` or ``waiting`` then."""
        if self.stage in LIVE:
            self.stage, self._order = "stopping", then
        elif then == "stopped" or self.stage not in AT_REST:
            self.stage = then

    def reset_failures(self) -> None:
        """Somebody asks for it: it waits for its start, after what runs has ended."""
        if self.stage in ("starting", "ready"):
            return
        self.restarts.reset_failures()
        if self.stage == "stopping":
            self._order = "waiting"
        else:
            self.stage = "waiting"

    def fail(self) -> None:
        """It is told that it cannot run."""
        if self.stage not in LIVE:
            self.stage = "failed"

    def is_taken_over(self, runs: int, shown: str) -> None:
        """An error of the runtime's own ends what is under way as a failure; what rests, rests."""
        self.stage, self.runs = (shown if shown in AT_REST else "stopping"), runs
        self._order, self._clean, self._ready_since = "", False, None

    def _fails(self, *, clean: bool = False) -> None:
        self.stage, self._order, self._clean = "stopping", "", clean


class Group:
    """How often others are restarted with one that failed."""

    def __init__(self, strategy: str, intensity: int, period: float) -> None:
        self.strategy, self.intensity, self.period = strategy, intensity, period
        self.times: list[float] = []

    def others(self, needs: Needs, failed: str, live: Iterable[str]) -> set[str]:
        """Return who is restarted with it."""
        others = set() if self.strategy == "one_for_one" else set(live) - {failed}
        if self.strategy == "rest_for_one":
            others &= {id_ for id_ in needs if failed in all_needs(needs, id_)}
        return others

    def allows(self, now: float) -> bool:
        """Whether a group may be restarted once more; if so, that is counted."""
        self.times = [t for t in self.times if now - t < self.period]
        if len(self.times) >= self.intensity:
            return False
        self.times.append(now)
        return True


class Ports:
    """How often a service may find its port taken by another program since its last command."""

    MOVES = 3

    def __init__(self) -> None:
        self._lost: dict[str, int] = {}

    def command(self, id_: str) -> None:
        """Somebody has started it, or restarted it."""
        self._lost.pop(id_, None)

    def loses(self, id_: str) -> bool:
        """Its port is taken: whether it may be given up now, and gets no other one."""
        self._lost[id_] = self._lost.get(id_, 0) + 1
        return self._lost[id_] > self.MOVES


class Bundle:
    """What the commands so far make of a bundle when it has come to rest."""

    def __init__(self, needs: Needs, on_demand: Iterable[str] = ()) -> None:
        self.needs = needs
        self.down: set[str] = set()
        self.ended = False
        self.wanted: set[str] = set()
        for id_ in set(needs) - set(on_demand):
            self.wanted |= {id_, *all_needs(needs, id_)}

    def command(self, action: str, id_: str) -> None:
        """Somebody has given a command that was accepted."""
        if self.ended:
            return
        if action == "stop":
            self.down.add(id_)
        else:
            needed = {id_, *all_needs(self.needs, id_)}
            self.down -= needed
            self.wanted |= needed

    def allowed(self, id_: str, stages: Mapping[str, str], *, locked: bool) -> set[str]:
        """Return where a service may be at rest, with the others where they are.

        ``locked``: a secret that it needs has no value. One that failed, or has ended as it may,
        is where its own rules have put it.
        """
        if self.ended or id_ in self.down:
            return {"stopped"}
        if id_ not in self.wanted:
            return {"waiting"}
        if self.down & set(all_needs(self.needs, id_)):
            return {"waiting", *AT_REST}
        if locked or any(stages[other] != "ready" for other in self.needs[id_]):
            return {"waiting", "ready", *AT_REST}
        return {"ready", *AT_REST}


def all_needs(needs: Needs, id_: str) -> set[str]:
    """Return what a service depends on, at any depth."""
    return set(needs[id_]).union(*(all_needs(needs, other) for other in needs[id_]))


class Shown(NamedTuple):
    """What is shown of a service."""

    state: str
    kept_down: bool
    blocked: bool
    waiting_for: tuple[str, ...]
    on_demand: bool = False


def outlook(shown: Iterable[Shown], *, running: bool) -> str:
    """Return what ends a wait for readiness: ``ready``, or ``hopeless``; empty when neither is so.

    Hopeless is what cannot become ready by itself. ``running``: nobody has stopped the bundle.
    """
    asleep = {"inactive", "stopped"}
    awake = [one for one in shown if one.state not in (asleep if one.on_demand else ("inactive",))]
    if not running or any(one.blocked or one.state in AT_REST for one in awake):
        return "hopeless"
    return "ready" if all(one.state == "ready" for one in awake) else ""


def wrong_in_picture(
    needs: Needs, shown: Mapping[str, Shown], lacks: Mapping[str, tuple[str, ...]]
) -> list[str]:
    """Return what does not fit together in one picture; ``lacks`` are secrets without a value."""
    hopeless: dict[str, bool] = {}

    def is_hopeless(id_: str) -> bool:
        if id_ not in hopeless:
            one = shown[id_]
            down = one.kept_down or one.state in AT_REST
            runs = one.state in ("starting", "ready")
            hopeless[id_] = down or (not runs and any(map(is_hopeless, needs[id_])))
        return hopeless[id_]

    wrong = []
    for id_, one in shown.items():
        blocked, waits = False, tuple[str, ...]()
        if one.state == "waiting":
            blocked = any(map(is_hopeless, needs[id_])) or one.kept_down
            unready = tuple(other for other in needs[id_] if shown[other].state != "ready")
            waits = unready + lacks.get(id_, ())
        if one.blocked is not blocked:
            wrong.append(f"{id_} is {one.state}, blocked={one.blocked}, should be {blocked}")
        if one.waiting_for != waits:
            wrong.append(f"{id_} waits for {one.waiting_for}, should be {waits}")
    return wrong
