"""Every message between actors, and from the edges to an actor: one frozen Struct each.

Commands are imperative, reports are in the past tense. What comes from an edge carries the
incarnation it belongs to, so that a late one is recognised and dropped.
"""

from __future__ import annotations

import enum
from typing import Any

import msgspec

from bundlevisor.actors.core.report import AfterStop, Report
from bundlevisor.actors.core.restart import History
from bundlevisor.actors.launch.inputs import StartInputs


class Message(msgspec.Struct, frozen=True):
    """Base of all messages."""


class Timer(enum.Enum):
    """The timers of a service; each exists at most once."""

    STARTUP = "startup"
    READINESS = "readiness"
    OBSTACLE = "obstacle"
    """To say what stands in the way of a service that is not ready yet."""
    BACKOFF = "backoff"
    GRACE = "grace"
    TREE = "tree"
    WATCHDOG = "watchdog"
    """To have had a sign of life of a ready service that gives them."""


# Supervisor to service


class Instruction(Message, frozen=True, kw_only=True):
    """What changes the course of a service; the last one wins, at every moment of the others."""

    number: int = 0
    """Rises with every instruction to the same service; its reports repeat the last one."""


class StartService(Instruction, frozen=True):
    """All dependencies are ready: start now, unless another start came after ``after``."""

    after: int
    inputs: StartInputs


class GetReady(Message, frozen=True):
    """It waits for others, and nobody for it: build what a start with these inputs would be."""

    inputs: StartInputs


class WaitAgain(Message, frozen=True):
    """What it needs is ready no more: unless it runs by now, it waits for that once prepared."""


class StopService(Instruction, frozen=True):
    """End the tree, then do what ``then`` says; ``reason`` is shown."""

    then: AfterStop
    reason: str = ""


class KillService(Instruction, frozen=True):
    """The time for an orderly stop is over: kill the tree now."""


class ResetFailures(Instruction, frozen=True):
    """Somebody asked for a start: forget earlier failures and wait for the dependencies."""


class FailService(Instruction, frozen=True):
    """The supervisor knows that this service cannot run: fail for good with this reason."""

    reason: str


class PortsMoved(Message, frozen=True):
    """To a page: where the ports of its API are; or (an empty table) that has no process now."""

    ports: dict[str, dict[str, int]]


class SystemResumed(Message, frozen=True):
    """The machine slept for ``seconds``: nothing that ran out meanwhile counts."""

    seconds: float


# Edges to service


class Prepared(Message, frozen=True):
    """Everything that comes before the spawn is done."""

    incarnation: int


class Launched(Message, frozen=True):
    """The process runs."""

    incarnation: int
    pid: int


class LaunchFailed(Message, frozen=True):
    """The process could not be started; ``fatal``: trying again cannot help."""

    incarnation: int
    reason: str
    fatal: bool = False


class ProcessExited(Message, frozen=True):
    """The leader of the tree is gone; ``code`` is negative when a signal ended it."""

    incarnation: int
    code: int
    last_lines: str = ""


class StopRefused(Message, frozen=True):
    """The service's own HTTP stop did not answer with success."""

    incarnation: int


class TreeEmptied(Message, frozen=True):
    """No process of the tree is left."""

    incarnation: int


class PortsLost(Message, frozen=True):
    """These of the service's ports cannot be bound any more: somebody else has them."""

    incarnation: int
    names: tuple[str, ...]


class BecameReady(Message, frozen=True):
    """The readiness condition holds."""

    incarnation: int


class ProbeAnswered(Message, frozen=True):
    """A liveness probe ended; ``trouble`` is empty when the service is well."""

    incarnation: int
    trouble: str = ""


class ProgressMade(Message, frozen=True):
    """What comes before the spawn of a service, or stands in its way; for display."""

    incarnation: int
    text: str
    phase: str = ""
    """As of :class:`bundlevisor.actors.core.report.Doing`."""
    fraction: float | None = None


class Notice(Message, frozen=True):
    """What a service says of itself."""

    incarnation: int


class ServiceSaid(Notice, frozen=True):
    """How far its start is, or what it is at."""

    text: str = ""
    fraction: float | None = None
    """0 to 1; a service that is ready is past that."""


class TimeExtended(Notice, frozen=True):
    """It needs longer for its start, or its stop: at least so many seconds from now."""

    seconds: float


class SignOfLife(Notice, frozen=True):
    """It has fed its watchdog; ``trouble``: it says that it is not well."""

    trouble: str = ""


class WatchdogSet(Notice, frozen=True):
    """From now on a sign of life is due every so many seconds; 0: none is."""

    seconds: float


class StopAnnounced(Notice, frozen=True):
    """It says that it is about to end by itself."""


class TimerFired(Message, frozen=True):
    """A timer ran out."""

    incarnation: int
    timer: Timer


# Service to supervisor


class ServiceChanged(Message, frozen=True):
    """The newest report of a service; sent at every change and after every instruction."""

    report: Report


class ServiceFailed(Message, frozen=True):
    """A run ended that nobody asked to end, and the policy starts it again."""

    id: str
    reason: str


class PortsTaken(Message, frozen=True):
    """The service died early, and these of its ports can no longer be bound."""

    id: str
    names: tuple[str, ...]


class ServiceActorFailed(Message, frozen=True):
    """An error of ours in the actor itself; it has stopped, and its process needs an owner."""

    id: str
    error: str
    child: Any
    incarnation: int
    history: History
    """The restarts so far: its successor's failures are counted with them."""


# Outside to supervisor


class StartBundle(Message, frozen=True):
    """Start every service that starts with the bundle."""


class CommandStart(Message, frozen=True):
    """Start one service, and what it needs. Answered with an ``Outcome``."""

    id: str


class CommandStop(Message, frozen=True):
    """Stop one service for good, its dependents first. Answered with an ``Outcome``."""

    id: str


class CommandRestart(Message, frozen=True):
    """Stop and start one service. Answered with an ``Outcome``."""

    id: str


class SecretsChanged(Message, frozen=True):
    """The secret store has new values; ``changed`` are the ids whose value is another now."""

    changed: frozenset[str]


class StopBundle(Message, frozen=True):
    """Stop everything in reverse dependency order."""

    reason: str


class KillBundle(Message, frozen=True):
    """The overall bound has passed, or the user insists: kill every tree."""


class Outcome(msgspec.Struct, frozen=True):
    """The supervisor's answer to a command: the services it acts on, or why it refuses."""

    affected: tuple[str, ...] = ()
    """Ids of the other services, in this order: dependents that stop, dependencies that start."""
    conflict: str = ""
    """A sentence that says why the state forbids the command; empty when it was accepted."""
    after: int = -1
    """What was asked for is there with an incarnation later than this."""


STOPPING = Outcome(conflict="the runtime is stopping")
