"""What a service's actor says of itself: written by the actor only, read by the supervisor only.

Everybody else reads the views of :mod:`bundlevisor.actors.core.snapshot`, which the supervisor
makes of these reports and of what it wants of the services.
"""

from __future__ import annotations

import enum

import msgspec


class Stage(enum.Enum):
    """Where a service stands in its own life."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    BACKOFF = "backoff"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


RUNNING = frozenset({Stage.STARTING, Stage.READY})
"""Stages in which the service has, or is about to have, a process that nobody is ending."""
LIVE = RUNNING | {Stage.STOPPING}
"""Stages in which a process of the service may exist."""
RESTING = frozenset({Stage.STOPPED, Stage.FAILED})
"""Stages of a service that starts only when it is told to."""


class AfterStop(enum.Enum):
    """What a stopped service does next."""

    STAY = "stay"
    """Stays stopped until somebody starts it: a stop is sticky."""
    WAIT = "wait"
    """Waits for its dependencies and starts again."""
    RETRY = "retry"
    """It failed (unhealthy, not ready in time, ended by itself): the restart policy decides."""


STARTS_AGAIN = "is started again as soon as it has stopped"
"""The message of a stopping service that somebody has started meanwhile."""


class StopCause(enum.Enum):
    """Why a service is stopping."""

    ORDERED = "order"
    EXITED = "exited"
    NOT_READY = "not ready"
    UNHEALTHY = "unhealthy"
    ANNOUNCED = "announced"
    """It has said that it ends."""
    BROKEN = "broken"
    """An error of ours in its actor."""


class Doing(msgspec.Struct, frozen=True):
    """What a service says of itself, or a start is busy with; the last word counts."""

    phase: str = ""
    """``assets`` or ``migration`` before the spawn; empty for the service's own words."""
    text: str = ""
    fraction: float | None = None
    """How much of it is done, 0 to 1, where somebody says so."""

    @property
    def words(self) -> str:
        """Both, for a person."""
        if self.fraction is None:
            return self.text
        percent = f"{self.fraction:.0%}"
        return f"{self.text} ({percent})" if self.text else percent


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What a service's actor knows and everybody sees as it says it.

    Times are seconds since the epoch (UTC).
    """

    id: str
    message: str = ""
    restarts: int = 0
    pid: int | None = None
    incarnation: int = 0
    """How often it has been started since the runtime began."""
    instance: str = ""
    """SERVICE_INSTANCE_ID of the running (or last) incarnation."""
    exit_code: int | None = None
    """Of the present start's process, or the last one's; negative: ended by that signal."""
    output: tuple[str, ...] = ()
    """The lines around the reason of the last failure, until it is ready again."""
    doing: Doing = Doing()
    """What its start is busy with, or what it says of itself."""
    begun_at: float | None = None
    """When its present start was begun: before the spawn, and what comes before that."""
    started_at: float | None = None
    ready_at: float | None = None


class Report(Account, frozen=True, kw_only=True):
    """One service as its actor sees it."""

    stage: Stage = Stage.WAITING
    heard: int = 0
    """The number of the supervisor's last instruction that is reckoned with here."""
    then: AfterStop = AfterStop.STAY
    """What follows the stop, or the preparation of a start, as its life has it."""
    stop_cause: StopCause = StopCause.ORDERED
    """Why it is stopping, or why its last run has ended."""
