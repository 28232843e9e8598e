"""What is remembered of a service's life, and what a decision about it is made of. Pure.

The table of :mod:`bundlevisor.actors.core.lifecycle` decides; what ends a run, and what follows it,
is :mod:`bundlevisor.actors.core.run_end`.
"""

from __future__ import annotations

import msgspec

from bundlevisor.actors.core import restart
from bundlevisor.actors.core.effects import Disarm, Effect
from bundlevisor.actors.core.messages import Timer
from bundlevisor.actors.core.report import AfterStop, Doing, Stage, StopCause
from bundlevisor.manifest.format.policy import STARTUP
from bundlevisor.manifest.format.probe import Readiness
from bundlevisor.manifest.format.schema import Service


class Life(msgspec.Struct, frozen=True):
    """Everything that the next decision depends on. Times are monotonic seconds."""

    stage: Stage = Stage.WAITING
    incarnation: int = 0
    heard: int = 0
    """The number of the supervisor's last instruction."""
    message: str = ""
    doing: Doing = Doing()
    """What its start is busy with, or what it says of itself."""
    then: AfterStop = AfterStop.STAY
    """What follows a stop, and in ``starting`` what follows a preparation (RETRY: the launch)."""
    stop_cause: StopCause = StopCause.ORDERED
    """Why it is stopping, or why its last run has ended."""
    pid: int | None = None
    exit_code: int | None = None
    ready_at: float | None = None
    """When this incarnation became ready."""
    watchdog: float = 0.0
    """Seconds within which a ready service has to give a sign of life; 0: it need not."""
    consecutive_failures: int = 0
    """Failed liveness probes in a row."""
    history: restart.History = restart.History()
    cause: str = ""
    """Why the current or last run ended, in a few words."""
    output: tuple[str, ...] = ()
    """What the last run that failed said of it: the lines around the reason; none once it is ready
    again."""


WAIT_OVER: tuple[Disarm, ...] = tuple(map(Disarm, (Timer.STARTUP, Timer.READINESS, Timer.OBSTACLE)))
"""The wait for readiness is over, one way or the other."""


Effects = tuple[Effect, ...]
Step = tuple[Life, Effects]


class Context(msgspec.Struct, frozen=True):
    """What does not change while a service lives, and what chance and the clock say now."""

    service: Service
    now: float
    jitter: float = 0.5
    trouble: str = ""
    """What stands in the way of readiness, where the probe knows it."""


def is_undone(life: Life) -> bool:
    """Whether what was prepared for a start is undone: it is to stop meanwhile, or to wait."""
    waits = life.stage is Stage.STARTING and life.then is AfterStop.WAIT
    return waits or life.stage is Stage.STOPPING


def in_words(life: Life, trouble: str = "") -> str:
    """Say where a running service stands: in its own words, or what is in its way."""
    said = life.doing.words or trouble
    return f"{life.stage.value}: {said}" if said else life.stage.value


def readiness_timeout(service: Service) -> float:
    """Return the bound on the wait for readiness, in seconds, also where the bundle names none."""
    return (service.readiness or Readiness(type="health_success")).timeout_ms / 1000


def startup_timeout(service: Service) -> float:
    """Return the bound on a start as a whole, in seconds, also where the bundle names none."""
    named = service.startup.timeout_ms
    return max(STARTUP, readiness_timeout(service)) if named is None else named / 1000
