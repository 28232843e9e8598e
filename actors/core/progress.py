"""How far a start is: a pure function of a snapshot, the time, and how long starts take usually.

``fraction`` is a share of time: each service that counts weighs as much as its start takes in the
median of earlier starts, and a service on its way counts for the part of it that its program says
(``::progress``), else for the part of its usual time that has passed. ``remaining_s`` is the
longest chain of what is still to come; there is none as soon as a part of it is not known: a first
start, a secret that somebody has to supply, a service that takes much longer than usual.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Literal

import msgspec

from bundlevisor.actors.core.report import Doing
from bundlevisor.actors.core.snapshot import Phase, ServiceView, Snapshot, State
from bundlevisor.actors.telemetry.median import median

Activity = Literal[
    "dependencies", "secrets", "assets", "migration", "spawning", "probing", "restarting"
]

UNKNOWN_S = 1.0
"""What a start is taken to last where nothing is known of any, in seconds."""
LEAST_S = 0.01
"""The least that a service weighs, in seconds."""
ALMOST = 0.95
"""A service that is not ready counts for no more than this, however long it has been at it."""
LATE = 1.5
"""From so many times its usual time on, a start is not foreseen any more; and not in less than
``GRACE_S`` seconds beyond it."""
GRACE_S = 1.0
SAID_ENOUGH = 0.05
"""The least fraction from which a service's own words give the time that it still needs."""
HELD_UP: tuple[Activity, ...] = ("dependencies", "secrets")


def _says(text: str) -> msgspec.Meta:
    return msgspec.Meta(description=text)


class Work(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A service on its way to be ready, and what is done for it right now."""

    service: str
    phase: Activity
    text: Annotated[
        str, _says("in a few words: its own, a migration's name, or what stands in the way")
    ]
    elapsed_s: Annotated[float, _says("since its start was begun; 0 while it waits for others")]
    usual_s: Annotated[
        float | None, _says("what its start takes in the median of earlier ones")
    ] = None
    fraction: Annotated[float | None, _says("0 to 1: how far that is, where somebody says so")] = (
        None
    )
    remaining_s: Annotated[
        float | None, _says("what it still needs by itself, where that can be foreseen")
    ] = None


class Progress(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far the start of the bundle is."""

    fraction: Annotated[
        float, _says("0 to 1: a share of time; 1 once all is ready, and it never goes back before")
    ]
    done: Annotated[int, _says("how many services are ready")]
    total: Annotated[int, _says("how many there are, without those that are skipped")]
    working_on: Annotated[
        tuple[Work, ...],
        _says("the services on their way, those that wait for others or for secrets last"),
    ] = ()
    remaining_s: Annotated[
        float | None, _says("until all is ready, where that can be foreseen from earlier starts")
    ] = None
    slowest: Annotated[
        str | None, _says("the service that something has been done for longest")
    ] = None
    last_line: Annotated[
        str | None, _says("the last line of its log in this start; secrets are hidden")
    ] = None


class Known(msgspec.Struct, frozen=True):
    """What does not change while a bundle starts."""

    dependencies: Mapping[str, tuple[str, ...]] = {}
    """By service, each after those that it needs."""
    usual: Mapping[str, float] = {}
    """What each service's start takes in the median of earlier ones, in seconds."""


def measure(
    snapshot: Snapshot,
    known: Known,
    now: float,
    *,
    least: float = 0.0,
    last_line: Callable[[ServiceView], str] = lambda _: "",
) -> Progress:
    """Return how far a start is at ``now`` (seconds since the epoch), at least ``least``."""
    counted = {id_: view for id_, view in snapshot.services.items() if not view.skipped}
    done = sum(view.ready for view in counted.values())
    if done == len(counted):
        return Progress(fraction=1.0, done=done, total=done)
    going = filter(_is_on_its_way, counted.values() if snapshot.phase is Phase.RUNNING else ())
    works = [_work(view, snapshot, known, now) for view in going]
    works.sort(key=lambda work: work.phase in HELD_UP)
    slowest = max(
        (work for work in works if work.phase not in HELD_UP),
        key=lambda work: work.elapsed_s,
        default=None,
    )
    line = last_line(counted[slowest.service]) if slowest else ""
    by_service = {work.service: work for work in works}
    return Progress(
        fraction=max(least, _fraction(counted, by_service, known)),
        done=done,
        total=len(counted),
        working_on=tuple(works),
        remaining_s=_remaining(counted, by_service, known),
        slowest=slowest.service if slowest else None,
        last_line=line or None,
    )


def _is_on_its_way(view: ServiceView) -> bool:
    return not (view.ready or view.hopeless or view.kept_down)


def _work(view: ServiceView, snapshot: Snapshot, known: Known, now: float) -> Work:
    phase = _phase(view, snapshot)
    is_starting = view.state is State.STARTING
    begun = view.begun_at if is_starting else None
    elapsed = 0.0 if begun is None else max(0.0, now - begun)
    doing = view.doing if is_starting else Doing()
    said = doing.fraction
    usual = known.usual.get(view.id)
    own = said if phase == "probing" else None
    left = None if phase == "secrets" else _left(elapsed, own, usual)
    return Work(
        service=view.id,
        phase=phase,
        text=doing.text or view.message.removeprefix(f"{view.state.value}: "),
        elapsed_s=round(elapsed, 3),
        usual_s=usual,
        fraction=said,
        remaining_s=None if left is None else round(left, 3),
    )


def _phase(view: ServiceView, snapshot: Snapshot) -> Activity:
    if view.state is State.WAITING:
        others = any(id_ not in snapshot.services for id_ in view.waiting_for)
        return "secrets" if others else "dependencies" if view.waiting_for else "spawning"
    if view.state is not State.STARTING:
        return "restarting"
    if view.doing.phase == "assets":
        return "assets"
    if view.doing.phase == "migration":
        return "migration"
    return "spawning" if view.pid is None else "probing"


def _left(elapsed: float, said: float | None, usual: float | None) -> float | None:
    if said is not None and said >= SAID_ENOUGH and elapsed:
        return elapsed * (1 - said) / said
    if usual is None or elapsed > max(usual * LATE, usual + GRACE_S):
        return None
    return max(0.0, usual - elapsed)


def _fraction(counted: Mapping[str, ServiceView], works: Mapping[str, Work], known: Known) -> float:
    typical = _typical(known)
    weights = {id_: max(LEAST_S, known.usual.get(id_, typical)) for id_ in counted}
    done = sum(
        weights[id_] * (1.0 if view.ready else _part(works[id_], weights[id_]))
        for id_, view in counted.items()
        if view.ready or id_ in works
    )
    return round(min(done / sum(weights.values()), 0.999), 3)


def _part(work: Work, weight: float) -> float:
    if work.fraction is not None and work.phase == "probing":
        return min(work.fraction, ALMOST)
    if work.usual_s is None:  # nearer and nearer to the end, and never there
        return ALMOST * work.elapsed_s / (work.elapsed_s + weight)
    return min(work.elapsed_s / weight, ALMOST)


def _typical(known: Known) -> float:
    return median(known.usual.values()) if known.usual else UNKNOWN_S


def _remaining(
    counted: Mapping[str, ServiceView], works: Mapping[str, Work], known: Known
) -> float | None:
    """Return the longest chain of what is still to come; None when a part of it is not known."""
    until: dict[str, float] = {}
    for id_ in (*known.dependencies, *(id_ for id_ in counted if id_ not in known.dependencies)):
        view = counted.get(id_)
        if view is None or view.ready:
            until[id_] = 0.0
            continue
        left = works[id_].remaining_s if id_ in works else None
        if left is None:
            return None
        before = (until[other] for other in known.dependencies.get(id_, ()))
        until[id_] = left + max(before, default=0.0)
    return round(max(until.values()), 3)
