"""What everybody outside the actors reads: one frozen picture, published by the supervisor.

The control API, the CLI and the tests read :class:`Snapshot` values from a
:class:`bundlevisor.actors.board.Board`.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Iterable

import msgspec

from bundlevisor.actors.core.report import Account


class State(enum.Enum):
    """The state of a service as it is shown: written by the supervisor only."""

    INACTIVE = "inactive"
    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    UNHEALTHY = "unhealthy"
    BACKOFF = "backoff"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


LIVE = frozenset({State.STARTING, State.READY, State.UNHEALTHY, State.STOPPING})
"""States in which a process of the service may exist."""


class Phase(enum.Enum):
    """Where the runtime as a whole stands."""

    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"


class ServiceView(Account, frozen=True, kw_only=True):
    """One service as the outside sees it: what its actor says, and what the supervisor adds."""

    state: State
    updated_at: float
    """When something of it was last shown otherwise than before."""
    critical: bool = True
    on_demand: bool = False
    skip_reason: str = ""
    kept_down: bool = False
    """Somebody has stopped it, or is about to: it stays down until somebody starts it."""
    blocked: bool = False
    """A dependency has failed for good (or was stopped), so this one cannot become ready."""
    waiting_for: tuple[str, ...] = ()
    """Ids of dependencies, or of secrets, that a waiting service still needs."""
    ports: dict[str, int] = msgspec.field(default_factory=dict)

    @property
    def ready(self) -> bool:
        """Whether dependents may use the service now."""
        return self.state is State.READY

    @property
    def skipped(self) -> bool:
        """Whether it does not count for readiness: it runs on demand only, and does not run."""
        return self.on_demand and self.state in (State.INACTIVE, State.STOPPED)

    @property
    def hopeless(self) -> bool:
        """Whether it cannot become ready unless somebody acts (a command, a secret's value)."""
        if self.skipped:
            return False
        return self.blocked or self.state in (State.FAILED, State.STOPPED)


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """All services at one moment, in the manifest's order.

    What is said of all of them is found out once, however many ask.
    """

    version: int
    phase: Phase
    services: dict[str, ServiceView]

    @functools.cached_property
    def ready(self) -> bool:
        """Whether every service that is not skipped is ready."""
        return self.phase is Phase.RUNNING and all(
            view.ready or view.skipped for view in self.services.values()
        )

    @functools.cached_property
    def hopeless(self) -> bool:
        """Whether ready can no longer turn true by itself."""
        return self.phase is not Phase.RUNNING or any(
            view.hopeless for view in self.services.values()
        )

    @property
    def decided(self) -> bool:
        """Whether ready is true, or can no longer turn true by itself."""
        return self.ready or self.hopeless


class Tally:
    """Whether readiness is decided, kept from view to view: to ask all takes 100 µs for 500."""

    def __init__(self, views: Iterable[ServiceView]) -> None:
        self._unready: set[str] = set()
        self._hopeless: set[str] = set()
        for view in views:
            self.see(view)

    def see(self, view: ServiceView) -> None:
        """Count a service as it is shown from now on."""
        _have(self._unready, view.id, not (view.ready or view.skipped))
        _have(self._hopeless, view.id, view.hopeless)

    def decided(self, phase: Phase) -> bool:
        """Return what :attr:`Snapshot.decided` of these views is."""
        return phase is not Phase.RUNNING or not self._unready or bool(self._hopeless)


def _have(ids: set[str], id_: str, belongs: bool) -> None:
    if belongs:
        ids.add(id_)
    else:
        ids.discard(id_)
