"""What the control API needs of the runtime: values to read, and a few commands to send.

The composition root implements :class:`RuntimeApi`; the resources know nothing else, so that the
tests can serve a runtime of their own. Everything here may be called from any thread. Only the
readers' ``read``, ``events.wait``, ``validate``, ``bundle_note`` and what takes a time-out may
wait; the rest knows its answer, or reads it from a file of ours: an answer of the API never waits
on a busy or stuck service.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

import msgspec

from bundlevisor.actors.board import Board
from bundlevisor.actors.core.progress import Progress
from bundlevisor.actors.core.snapshot import Snapshot
from bundlevisor.actors.telemetry.timeline import Timeline
from bundlevisor.manifest.format.schema import Manifest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundlevisor.actors.core.messages import Outcome
    from bundlevisor.actors.logs.timed_lines import Line
    from bundlevisor.actors.prepare.cancelled import Wanted
    from bundlevisor.actors.probes.schedule import ProbeStats
    from bundlevisor.actors.telemetry.event import Event
    from bundlevisor.control.wire.bodies import Gpu, Validation
    from bundlevisor.manifest.plan.secrets import Rejection

Read_co = TypeVar("Read_co", covariant=True)
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


class Gauges(msgspec.Struct, frozen=True, kw_only=True):
    """Counters for ``/metrics`` that no snapshot has, by service id."""

    probes: dict[str, ProbeStats] = {}
    exits: dict[str, dict[str, int]] = {}
    """By service id, and by what has ended it (``by`` of the event ``service_exit``)."""
    log_bytes: dict[str, int] = {}
    log_bytes_dropped: dict[str, int] = {}
    events_written: int = 0
    events_dropped: int = 0


class Reader(Protocol[Read_co]):
    """A reader of one service's log: of its bytes, or of its lines.

    A slow reader loses what is oldest; the next read then begins with a line that says how much was
    lost. It never slows the service or another reader.
    """

    def read(self, timeout: float) -> Read_co | None:
        """Return what has come, nothing when nothing has in ``timeout`` s, None after the end."""

    def end(self) -> None:
        """Say that nothing more will come; what waits can still be read."""

    def close(self) -> None:
        """Let go of the queue; a ``read`` that waits returns None."""


class LineReader(Protocol):
    """A reader by lines, as :class:`Reader` is; it begins with what was written before."""

    def read(self, timeout: float) -> list[Line] | None:
        """Return what has come, nothing when nothing has in ``timeout`` s, None after the end."""

    def close(self) -> None:
        """Let go of the queue; a ``read`` that waits returns None."""

    @property
    def has_begun(self) -> bool:
        """Whether what was before has been read."""


class Logs(Protocol):
    """The services' log files. Unknown ids are refused before these are called."""

    def tail(self, service_id: str, lines: int) -> bytes:
        """Return the last ``lines`` lines, ``b""`` when there is no file yet."""

    def follow(self, service_id: str, lines: int) -> Reader[bytes]:
        """Subscribe to the last ``lines`` lines and everything after: no gap, no double."""

    def lines(self, service_id: str, lines: int, since: float, readers: int) -> list[Line]:
        """Return the last lines that were begun at ``since`` (seconds since 1970) or later.

        ``readers``: as one of so many services, which share the memory that one request may take.
        """

    def previous_lines(self, service_id: str, lines: int, readers: int) -> list[Line]:
        """Return the last lines of the run before the newest one, where one is known."""

    def follow_lines(self, service_id: str, lines: int, since: float) -> LineReader:
        """Subscribe to these and to all that come: no gap, no double."""


class Events(Protocol):
    """The telemetry of this instance; ``bundlevisor.actors.telemetry.writer.Telemetry`` is one."""

    @property
    def last_seq(self) -> int:
        """The number of the newest event; 0 before the first."""

    def page(self, after: int, limit: int) -> Sequence[Event]:
        """Return at most ``limit`` events with a sequence number above ``after``, ascending."""

    def resumed(self, after: int) -> int:
        """Return ``after``, or where this run begins if no event has got that far."""

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

    def command(self, service_id: str, action: Action, timeout_s: float) -> Outcome:
        """Send a command to the supervisor and return its answer (not the command's effect).

        When this returns, the snapshots show what is wanted since: what is to stop or to restart
        is not shown as ready any more, and what is to start not as failed or stopped. Raises
        TimeoutError when the supervisor does not answer in time, RuntimeError when it fails at it,
        KeyError for an unknown id.
        """

    def bundle_note(self) -> str:
        """Return a sentence where the bundle on disk is not what runs; empty where it is.

        Waits half a second for the disk at most.
        """

    def tell_asked(self, request: str, agent: str, port: int) -> None:
        """Have it in the telemetry that somebody asks for something to be done.

        ``request`` is method and path, ``port`` the caller's on loopback, 0 when it is not known.
        """

    def shutdown(self, reason: str) -> None:
        """Begin the orderly stop; returns at once, and does nothing when it has begun."""

    def secrets_present(self) -> frozenset[str]:
        """Return the ids of the secrets that have a value."""

    def secrets_pending(self) -> frozenset[str]:
        """Return the ids of those of which it is not known yet; asked before who has one."""

    def set_secrets(self, values: dict[str, object], timeout_s: float) -> tuple[Rejection, ...]:
        """Store the values and start or restart what needs them, or return every problem.

        Checks ids, types (only strings are values) and formats; with one problem nothing is
        stored. Raises TimeoutError when the supervisor does not answer in time, OSError when the
        values cannot be stored.
        """

    def validate(self, wanted: Wanted) -> Validation:
        """Check the bundle anew; may take long (checksums), and starts nothing.

        Raises Cancelled when ``wanted`` says no, which is asked meanwhile.
        """

    def gpu(self) -> Gpu:
        """Return what is known about the GPU now."""

    def progress(self, snapshot: Snapshot, /) -> Progress:
        """Return how far the start is that this snapshot shows; the fraction never goes back."""

    def timeline(self) -> Timeline:
        """Return what took how long in this start, as far as it has come."""

    def earlier_timelines(self) -> Sequence[Timeline]:
        """Return the earlier starts that are remembered, oldest first; reads a small file."""

    def gauges(self) -> Gauges:
        """Return the counters for ``/metrics``."""

    def fault(self, what: str, error: BaseException, /) -> None:
        """Log an error of ours with its trace; ``what`` names the request or the place."""
