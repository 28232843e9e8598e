"""Every request and answer of the control API, as Structs: one source of truth.

The resources encode and decode with them, and ``/openapi.json`` is made from them. A field that is
``UNSET`` is left out of the answer. Names in the answers are those that existing shells and
clients read, so they are never changed, only added to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from bundlevisor.actors.core.progress import Progress
from bundlevisor.actors.core.snapshot import State
from bundlevisor.actors.telemetry.timeline import Timeline
from bundlevisor.control.wire.health import Body

Time = Annotated[str, msgspec.Meta(description="RFC 3339, UTC, milliseconds")]
Seconds = Annotated[float, msgspec.Meta(ge=0)]


class Error(Body, frozen=True, kw_only=True):
    """Any answer with a status from 400 on."""

    error: Annotated[str, msgspec.Meta(description="a sentence")]
    code: Annotated[str, msgspec.Meta(description="snake_case, for programs")]


Output = Annotated[
    tuple[str, ...],
    msgspec.Meta(description="what it wrote around the reason of its last failure, by lines"),
]


class ServiceDetail(Body, frozen=True, kw_only=True):
    """One service in ``/readyz``."""

    ready: bool
    skipped: bool | UnsetType = UNSET
    message: str
    exit_code: int | UnsetType = UNSET
    started_at: Time | UnsetType = UNSET
    ready_at: Time | UnsetType = UNSET
    updated_at: Time
    state: State
    restarts: int
    pid: int | UnsetType = UNSET
    waiting_for: tuple[str, ...] | UnsetType = UNSET
    output: Output | UnsetType = UNSET


class Gpu(Body, frozen=True, kw_only=True):
    """What is known about the GPU."""

    available: bool
    method: str
    reason: str
    requirements: Mapping[str, str]
    name: str | UnsetType = UNSET
    driver: str | UnsetType = UNSET


class Readiness(Body, frozen=True, kw_only=True):
    """Whether every service that is not skipped is ready."""

    ready: bool
    details: dict[str, ServiceDetail]
    gpu: Gpu
    progress: Progress
    version: Annotated[
        int, msgspec.Meta(description="of this answer; ?change=1&after= it waits for a later one")
    ]


class Ports(Body, frozen=True, kw_only=True):
    """The ports in force of the services that have any."""

    services: dict[str, dict[str, int]]
    api_base: str | UnsetType = msgspec.field(default=UNSET, name="apiBase")


class Stopping(Body, frozen=True, kw_only=True):
    """The orderly stop has begun."""

    status: Literal["stopping"] = "stopping"


class SecretPrompt(Body, frozen=True, kw_only=True):
    """What a shell shows when it asks for the secret."""

    label: str
    description: str | UnsetType = UNSET
    hint: str | UnsetType = UNSET


class Secret(Body, frozen=True, kw_only=True):
    """A secret of the bundle; never its value. While it is ``pending`` the key store is asked."""

    id: str
    class_: str = msgspec.field(name="class")
    required: bool
    has_value: bool
    pending: bool | UnsetType = UNSET
    description: str | UnsetType = UNSET
    format: str | UnsetType = UNSET
    prompt: SecretPrompt | UnsetType = UNSET


class Secrets(Body, frozen=True, kw_only=True):
    """The secrets of the bundle."""

    secrets: tuple[Secret, ...]


class SecretValues(Body, frozen=True, kw_only=True):
    """Values for secrets, by id; every value is a string."""

    secrets: dict[str, Any]


class Stored(Body, frozen=True, kw_only=True):
    """All of it has been stored."""

    status: Literal["ok"] = "ok"


class SecretError(Body, frozen=True, kw_only=True):
    """Why one value was refused."""

    id: str
    message: str


class SecretsError(Error, frozen=True, kw_only=True):
    """Nothing has been stored, and why: for each value, where the body itself can be read."""

    validation_errors: tuple[SecretError, ...] = ()


class Problem(Body, frozen=True, kw_only=True):
    """One finding about the bundle."""

    code: str
    service: str | UnsetType = UNSET
    file: str | UnsetType = UNSET
    """The overlay in which it stands; none for the bundle itself."""
    path: str | UnsetType = UNSET
    message: str


class MissingBinary(Body, frozen=True, kw_only=True):
    """A binary of the current platform that is not there."""

    service_id: str
    platform: str
    path: str


class MissingAsset(Body, frozen=True, kw_only=True):
    """An asset that is not there."""

    service_id: str
    path: str


class InvalidChecksum(Body, frozen=True, kw_only=True):
    """An asset that is not what the manifest says."""

    service_id: str
    path: str
    expected: str
    actual: str


class Validation(Body, frozen=True, kw_only=True, omit_defaults=True):
    """All the problems of the bundle; ``valid`` when there is no error."""

    valid: bool
    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    missing_binaries: tuple[MissingBinary, ...] = ()
    missing_assets: tuple[MissingAsset, ...] = ()
    invalid_checksums: tuple[InvalidChecksum, ...] = ()


class ServiceStatus(Body, frozen=True, kw_only=True):
    """One service in ``/status``; CPU and memory are those of its whole process tree."""

    id: str
    state: State
    cpu_percent: Annotated[
        float,
        msgspec.Meta(
            description="100 is one core; of a process that several pages share, an equal part each"
        ),
    ]
    rss_bytes: Annotated[
        int,
        msgspec.Meta(description="of a process that several pages share, an equal part each"),
    ]
    restarts: int
    uptime_s: Seconds
    message: str
    skipped: bool | UnsetType = UNSET
    pid: int | UnsetType = UNSET
    ports: dict[str, int] | UnsetType = UNSET
    ready_after_s: Annotated[float, msgspec.Meta(description="from its start")] | UnsetType = UNSET
    waiting_for: tuple[str, ...] | UnsetType = UNSET
    output: Output | UnsetType = UNSET
    dependencies: tuple[str, ...] | UnsetType = UNSET


class Swap(Body, frozen=True, kw_only=True):
    """A dependency that the packager replaced."""

    original: str
    replacement: str
    reason: str | UnsetType = UNSET
    limitations: str | UnsetType = UNSET


class Status(Body, frozen=True, kw_only=True):
    """The instance and its services."""

    instance_id: str
    started_at: Time
    app_data_dir: str
    bundle_root: str
    dry_run: bool
    manifest_hash: str
    manifest_schema: str
    target: str
    app_name: str
    app_version: str
    ipc_host: str
    ipc_port: int
    runtime_version: str
    build_version: str
    uptime_s: Seconds
    pid: int
    services: tuple[ServiceStatus, ...]
    swaps: tuple[Swap, ...] = ()


class Timelines(Body, frozen=True, kw_only=True):
    """What took how long in this start, and in earlier ones if they were asked for."""

    timeline: Timeline
    earlier: tuple[Timeline, ...] = ()


class Telemetry(Body, frozen=True, kw_only=True):
    """Where the telemetry is written, and where the shell may send it."""

    path: str
    upload_url: str


class ServiceCommand(Body, frozen=True, kw_only=True):
    """A command to a service was accepted; ``done`` only where the client asked to wait."""

    id: str
    state: State
    message: str
    affected: tuple[str, ...]
    done: bool | UnsetType = UNSET
    note: Annotated[
        str | UnsetType,
        msgspec.Meta(description="that the bundle was changed since the start, without effect"),
    ] = UNSET


class DashboardCode(Body, frozen=True, kw_only=True):
    """A way for one browser into the dashboard, once."""

    code: str
    path: Annotated[str, msgspec.Meta(description="where a browser takes it, code and all")]
    expires_in_s: Seconds


class Event(Body, frozen=True, kw_only=True):
    """One telemetry event."""

    ts: Time
    seq: int
    event: str
    service_id: str | UnsetType = UNSET
    details: dict[str, Any] | UnsetType = UNSET


class EventPage(Body, frozen=True, kw_only=True):
    """Telemetry events in order; ask for the next ones with ``after=next``."""

    events: tuple[msgspec.Raw, ...]
    next: int
    missed: Annotated[int, msgspec.Meta(description="events that are no longer kept")]
