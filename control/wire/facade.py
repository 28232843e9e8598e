"""What the control API needs of the runtime: values to read, and a few commands to send.

The composition root implements :class:`RuntimeApi`; the resources know nothing else, so that the
tests can serve a runtime of their own. Everything here may be called from any thread. Except for
``follow().read``, ``events.wait``, ``validate`` and the commands (which take a time-out), nothing
may block: an answer of the API never waits on a busy or stuck service.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from bundlevisor.actors.core.progress import Progress
from bundlevisor.actors.core.snapshot import Board, Snapshot
from bundlevisor.actors.telemetry.timeline import Timeline
from bundlevisor.manifest.format.schema import Manifest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundlevisor.control.wire.bodies import Validation

Action = Literal["start", "stop", "restart"]


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What does not change while this instance lives. Paths are absolute."""

    manifest: Manifest
    manifest_hash: str
    """SHA-256 of the manifest's bytes, in hex."""
    instance_id: str
    started_at: float
    """Seconds since the epoch."""
    app_data_dir: str
    bundle_root: str
    dry_run: bool
    ipc_host: str
    ipc_port: int
    """The port in force, not the one that the manifest asked for."""
    telemetry_path: str
    runtime_version: str
    build_version: str
    pid: int


class CommandOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What the supervisor said to a start, stop or restart."""

    accepted: bool
    conflict: str = ""
    """A sentence that says why the state forbids the command; only when it was not accepted."""
    affected: tuple[str, ...] = ()
    """Ids of the other services that the command stops, starts or restarts, in that order: the
    dependents that are stopped first, the dependencies that are started first."""
    after: int = -1
    """What a start or restart asks for is there with an incarnation later than this."""


class SecretProblem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a secret was refused; the sentence never shows the value."""

    id: str
    message: str


class GpuView(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about the GPU at the moment; ``method`` says how it is known."""

    available: bool
    method: str
    reason: str
    requirements: Mapping[str, str] = {}
    """Service id → its ``gpu.requirement``, for the services that have one."""
    name: str = ""
    driver: str = ""
    """Known some seconds after the start, and only where a service has a requirement."""


class ProbeGauge(msgspec.Struct, frozen=True, kw_only=True):
    """The probes of one service since it was first started; seconds."""

    count: int
    failed: int
    seconds_sum: float
    seconds_last: float


class Gauges(msgspec.Struct, frozen=True, kw_only=True):
    """Counters for ``/metrics`` that no snapshot has, by service id."""

    probes: dict[str, ProbeGauge] = {}
    exits: dict[str, dict[str, int]] = {}
    """By service id, and by what has ended it (``by`` of the event ``service_exit``)."""
    log_bytes: dict[str, int] = {}
    log_bytes_dropped: dict[str, int] = {}
    events_written: int = 0
    events_dropped: int = 0


class Subscription(Protocol):
    """A reader of one service's log.

    A slow reader loses its oldest bytes; the next read then begins with a line that says how many
    were lost. It never slows the service or another reader.
    """

    def read(self, timeout: float) -> bytes | None:
        """Return what has come, ``b""`` when nothing has in ``timeout`` s, None after the end."""

    def close(self) -> None:
        """Let go of the queue; a ``read`` that waits returns None."""


class TimedLine(Protocol):
    """A line without its end, and when it was begun, in seconds since 1970."""

    @property
    def time(self) -> float:
        """When."""

    @property
    def text(self) -> bytes:
        """What."""


class LineFollower(Protocol):
    """A reader of one service's log, by lines; a slow one loses lines as a subscription does."""

    @property
    def has_begun(self) -> bool:
        """Whether what was before has been read."""

    def read(self, timeout: float) -> Sequence[TimedLine] | None:
        """Return what has come, nothing when nothing has in ``timeout`` s, None after the end."""

    def close(self) -> None:
        """Leave."""


class Logs(Protocol):
    """The services' log files. Unknown ids are refused before these are called."""

    def tail(self, service_id: str, lines: int) -> bytes:
        """Return the last ``lines`` lines, ``b""`` when there is no file yet."""

    def follow(self, service_id: str, lines: int) -> Subscription:
        """Subscribe to the last ``lines`` lines and everything after: no gap, no double."""

    def lines(self, service_id: str, lines: int, since: float, readers: int) -> Sequence[TimedLine]:
        """Return the last lines that were begun at ``since`` (seconds since 1970) or later.

        ``readers``: as one of so many services, which share the memory that one request may take.
        """

    def previous_lines(self, service_id: str, lines: int, readers: int) -> Sequence[TimedLine]:
        """Return the last lines of the run before the newest one, where one is known."""

    def follow_lines(self, service_id: str, lines: int, since: float) -> LineFollower:
        """Subscribe to these and to all that come: no gap, no double."""


class Event(Protocol):
    """One telemetry event: a Struct that msgspec encodes as it stands in the file."""

    @property
    def seq(self) -> int:
        """The sequence number; without gaps, unless events were dropped."""

    @property
    def event(self) -> str:
        """The name."""


class Events(Protocol):
    """The telemetry of this instance; ``bundlevisor.actors.telemetry.writer.Telemetry`` is one."""

    @property
    def last_seq(self) -> int:
        """The number of the newest event; 0 before the first."""

    def page(self, after: int, limit: int) -> Sequence[Event]:
        """Return at most ``limit`` events with a sequence number above ``after``, ascending."""

    def wait(self, after: int, timeout: float) -> bool:
        """Return whether there is an event after ``after``, waiting at most ``timeout`` s."""


class RuntimeApi(Protocol):
    """The runtime as the control API sees it."""

    @property
    def board(self) -> Board:
        """Where the supervisor publishes the snapshots."""

    @property
    def facts(self) -> Facts:
        """The static facts; may be made at the first use."""

    @property
    def logs(self) -> Logs:
        """The services' logs."""

    @property
    def events(self) -> Events:
        """The telemetry events."""

    def command(self, service_id: str, action: Action, timeout_s: float) -> CommandOutcome:
        """Send a command to the supervisor and return its answer (not the command's effect).

        When this returns, the snapshots show what is wanted since: what is to stop or to restart
        is not shown as ready any more, and what is to start not as failed or stopped. Raises
        TimeoutError when the supervisor does not answer in time, KeyError for an unknown id.
        """

    def tell_asked(self, request: str, agent: str, port: int) -> None:
        """Have it in the telemetry that somebody asks for something to be done.

        ``request`` is method and path, ``port`` the caller's on loopback, 0 when it is not known.
        """

    def shutdown(self, reason: str) -> None:
        """Begin the orderly stop; returns at once, and does nothing when it has begun."""

    def secrets_present(self) -> frozenset[str]:
        """Return the ids of the secrets that have a value."""

    def set_secrets(self, values: dict[str, object], timeout_s: float) -> tuple[SecretProblem, ...]:
        """Store the values and start or restart what needs them, or return every problem.

        Checks ids, types (only strings are values) and formats; with one problem nothing is
        stored. Raises TimeoutError when the supervisor does not answer in time, OSError when the
        values cannot be stored.
        """

    def validate(self) -> Validation:
        """Check the bundle anew; may take long (checksums), and starts nothing."""

    def gpu(self) -> GpuView:
        """Return what is known about the GPU now."""

    def progress(self, snapshot: Snapshot) -> Progress:
        """Return how far the start is that this snapshot shows; the fraction never goes back."""

    def timeline(self) -> Timeline:
        """Return what took how long in this start, as far as it has come."""

    def earlier_timelines(self) -> Sequence[Timeline]:
        """Return the earlier starts that are remembered, oldest first; reads a small file."""

    def gauges(self) -> Gauges:
        """Return the counters for ``/metrics``."""

    def fault(self, what: str, error: BaseException) -> None:
        """Log an error of ours with its trace; ``what`` names the request or the place."""
