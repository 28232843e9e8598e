"""What everybody outside the actors reads: one frozen picture, published by the supervisor.

The control API, the CLI and the tests read :class:`Snapshot` values from a :class:`Board`; nobody
asks an actor for its state, so a busy or stuck service can never hold an answer up.
"""

from __future__ import annotations

import enum
import functools
import operator
import threading
import time
from collections.abc import Callable, Iterable

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
    critical: bool = True
    skipped: bool = False
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


DECIDED: Callable[[Snapshot], bool] = operator.attrgetter("decided")


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


class Board:
    """Where the supervisor publishes and everybody else reads; safe from any thread."""

    def __init__(self, first: Snapshot) -> None:
        lock = threading.Lock()
        self._changed = threading.Condition(lock)
        self._decided = threading.Condition(lock)
        self._snapshot = first

    @property
    def snapshot(self) -> Snapshot:
        """The newest snapshot; never blocks."""
        return self._snapshot

    def publish(self, snapshot: Snapshot, decided: bool | None = None) -> None:
        """Replace the picture and wake everybody who waits for it. Only the supervisor calls this.

        ``decided``: what ``snapshot.decided`` is, where that is known.
        """
        if decided is None:
            decided = snapshot.decided
        with self._changed:
            self._snapshot = snapshot
            self._changed.notify_all()
            if decided:
                self._decided.notify_all()

    def wait(self, until: Callable[[Snapshot], bool], timeout: float) -> Snapshot:
        """Return the first snapshot that satisfies ``until``, or the newest after ``timeout`` s.

        One that is replaced at once may be passed over. Nobody who publishes waits for ``until``.
        """
        return self._wait(self._changed, until, timeout)

    def wait_decided(self, timeout: float, until: Callable[[Snapshot], bool] = DECIDED) -> Snapshot:
        """Wait for what holds of no snapshot before readiness is decided.

        Until then nothing wakes who waits: each change of a start would, twice for each service,
        and take the interpreter from those who start services.
        """
        return self._wait(self._decided, until, timeout)

    def _wait(
        self, news: threading.Condition, until: Callable[[Snapshot], bool], timeout: float
    ) -> Snapshot:
        end = time.monotonic() + timeout
        while True:
            seen = self._snapshot
            if until(seen):
                return seen
            with news:
                left = end - time.monotonic()
                if left <= 0:
                    return self._snapshot
                if self._snapshot is seen:
                    news.wait(left)
