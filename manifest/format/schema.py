"""The Structs of ``bundle.json`` (desktop bundle manifest v0.1): one source of truth.

The reader decodes into them, ``bundlevisor schema`` prints the JSON Schema made from them, and
every default of the format stands here and nowhere else. Times are milliseconds. Optional fields
that a bundle leaves out are ``None`` or empty; cross-field rules live in
:mod:`bundlevisor.manifest.check`.

Annotations are evaluated as they stand: as strings (``from __future__ import annotations``) they
cost msgspec 2 ms at the first decode, which is on the way to the first spawn.
"""

from typing import Annotated, Any, Literal

import msgspec

from bundlevisor.manifest.format.document import (
    LAST_PORT,
    Count,
    Document,
    Milliseconds,
    NonEmpty,
    Port,
)
from bundlevisor.manifest.format.policy import (
    DataSnapshot,
    RestartPolicy,
    Startup,
    StopPolicy,
    Supervision,
)
from bundlevisor.manifest.format.probe import Health, Readiness
from bundlevisor.manifest.format.secret import Secret

VERSIONS = ("v0.1", "0.1")
"""The schema versions that are read; both mean the same."""
TARGET = "desktop"
MODES = ("loopback-http", "http")
LONGEST_ID = 128
"""Characters: ids become parts of file names, which most file systems bound at 255 bytes."""
UI_BUNDLE = "ui-bundle"
TYPES = (UI_BUNDLE, "api-binary", "worker", "resource")
"""The service types of the format; any other word means a plain binary."""
ON_DEMAND = "on_demand"
"""The ``run_mode`` of a service that does not start with the bundle."""


class App(Document, frozen=True, kw_only=True):
    """What the bundle is; ``name`` also names the default app-data folder."""

    name: NonEmpty
    version: NonEmpty
    description: str = ""


class Ipc(Document, frozen=True, kw_only=True):
    """Where the control API listens; ``auth_token_path`` is relative to app-data.

    ``port`` 0 asks for an ephemeral port.
    """

    mode: str
    host: NonEmpty
    port: Annotated[int, msgspec.Meta(ge=0, le=LAST_PORT)]
    auth_token_path: NonEmpty


class Telemetry(Document, frozen=True, kw_only=True):
    """The JSONL file (relative to app-data) and the address that the shell may upload it to."""

    file: NonEmpty
    upload_url: str = ""


class PortRange(Document, frozen=True, kw_only=True):
    """An inclusive range of TCP ports."""

    min: Port
    max: Port


DEFAULT_RANGE = PortRange(min=47_000, max=48_000)
"""Of requests that name none, in a bundle that names none."""


class PortRules(Document, frozen=True, kw_only=True):
    """The range for requests without one of their own, and ports never to be given out."""

    default_range: PortRange | None = None
    reserved: list[int] | None = None


class Swap(Document, frozen=True, kw_only=True):
    """Documentation of a dependency that the packager replaced; shown by status."""

    original: str
    replacement: str
    reason: str = ""
    limitations: str = ""


class Binary(Document, frozen=True, kw_only=True):
    """What is run on one platform; ``path`` and ``cwd`` are relative to the bundle root."""

    path: str = ""
    args: list[str] = []
    env: dict[str, str] = {}
    cwd: str = ""


class PortRequest(Document, frozen=True, kw_only=True):
    """One port that a service asks for, under a name of its own."""

    name: NonEmpty
    range: PortRange | None = None
    requires_socket: bool = False


class ServicePorts(Document, frozen=True, kw_only=True):
    """The ports that a service asks for."""

    requested: list[PortRequest] = []


class Migration(Document, frozen=True, kw_only=True):
    """A command that is run before a service starts: once, or (``always``) at every start.

    ``timeout_ms`` is an extension of ours.
    """

    version: NonEmpty
    command: list[str]
    env: dict[str, str] = {}
    run_on: Literal["always", "first_install", "install", "upgrade"] = "always"
    timeout_ms: Milliseconds = 600_000


class Asset(Document, frozen=True, kw_only=True):
    """A file (or folder: existence only) that a service needs from the bundle."""

    path: NonEmpty
    sha256: str = ""
    size_bytes: Count | None = None


class Gpu(Document, frozen=True, kw_only=True):
    """Whether a service needs a GPU."""

    requirement: Literal["required", "optional", "optional_with_cpu_fallback", "optional_but_warn"]


class Service(Document, frozen=True, kw_only=True):
    """One service of the bundle."""

    id: NonEmpty
    type: str = "api-binary"
    description: str = ""
    binaries: dict[str, Binary] = {}
    env: dict[str, str] = {}
    secrets: list[str] = []
    dependencies: list[str] = []
    data_dirs: list[str] = []
    log_dir: str = ""
    ports: ServicePorts | None = None
    health: Health | None = None
    readiness: Readiness | None = None
    migrations: list[Migration] = []
    assets: list[Asset] = []
    gpu: Gpu | None = None
    critical: bool = True
    metadata: dict[str, Any] = {}
    restart: RestartPolicy = RestartPolicy()
    stop: StopPolicy = StopPolicy()
    startup: Startup = Startup()
    snapshot: DataSnapshot = DataSnapshot()

    @property
    def watchdog(self) -> float:
        """Seconds within which it has to give a sign of life once it is ready; 0: it need not."""
        if self.readiness is None or self.readiness.type != "notify":
            return 0.0
        return (self.readiness.watchdog_ms or 0) / 1000

    @property
    def port_requests(self) -> list[PortRequest]:
        """The ports that this service asks for, in the manifest's order."""
        return self.ports.requested if self.ports else []

    @property
    def on_demand(self) -> bool:
        """Whether the service waits for a dependent or a command before it starts."""
        return self.metadata.get("run_mode") == ON_DEMAND


class Manifest(Document, frozen=True, kw_only=True):
    """A whole ``bundle.json``."""

    schema_url: Any = msgspec.field(name="$schema", default=None)
    schema_version: str
    target: str
    app: App
    ipc: Ipc
    telemetry: Telemetry
    services: Annotated[list[Service], msgspec.Meta(min_length=1)]
    ports: PortRules | None = None
    swaps: list[Swap] = []
    secrets: list[Secret] = []
    code_signing: Any = None
    build: Any = None
    metadata: Any = None
    supervision: Supervision = Supervision()

    def service(self, service_id: str) -> Service:
        """Return the service with this id; KeyError when the bundle has none."""
        for service in self.services:
            if service.id == service_id:
                return service
        raise KeyError(service_id)
