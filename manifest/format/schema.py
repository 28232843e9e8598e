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

LARGEST = 2**53 - 1  # what every JSON program reads exactly (RFC 8259, section 6)
Milliseconds = Annotated[int, msgspec.Meta(ge=1, le=LARGEST)]
Count = Annotated[int, msgspec.Meta(ge=0, le=LARGEST)]
Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
NonEmpty = Annotated[str, msgspec.Meta(min_length=1)]


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every Struct that is read from a bundle: frozen, named fields only.

    An unknown field is no error of the format: it only sends the reader the slow way, where
    :mod:`bundlevisor.manifest.read.collect` turns it into a warning and leaves it out.
    """


class Extension(Document, frozen=True, kw_only=True):
    """Base of the parts that only this runtime knows.

    The others are also written by Go programs, where 0 and ``""`` mean that a field is absent;
    here they mean what they say.
    """


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
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)]
    auth_token_path: NonEmpty


class Telemetry(Document, frozen=True, kw_only=True):
    """The JSONL file (relative to app-data) and the address that the shell may upload it to."""

    file: NonEmpty
    upload_url: str = ""


class PortRange(Document, frozen=True, kw_only=True):
    """An inclusive range of TCP ports."""

    min: Port
    max: Port


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


class SecretPrompt(Document, frozen=True, kw_only=True):
    """What the shell shows when it asks the user for a secret."""

    label: str = ""
    description: str = ""
    hint: str = ""


class SecretGenerator(Document, frozen=True, kw_only=True):
    """How a ``per_install_generated`` secret is made."""

    type: Literal["random", "uuid"] = "random"
    length: Annotated[int, msgspec.Meta(ge=1, le=4096)] = 32
    charset: NonEmpty = "alnum"


class SecretTarget(Document, frozen=True, kw_only=True):
    """How a service receives a secret: an environment variable or a file under app-data."""

    type: Literal["env", "file"]
    name: str = ""


SecretClass = Literal["per_install_generated", "user_prompt", "remote_fetch", "infrastructure"]


class Secret(Document, frozen=True, kw_only=True):
    """A value that only the services which list it receive."""

    id: NonEmpty
    class_: SecretClass = msgspec.field(name="class")
    target: SecretTarget
    description: str = ""
    format: str = ""
    required: bool = True
    prompt: SecretPrompt | None = None
    generator: SecretGenerator | None = None


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


INTERVAL = 0.5
"""Seconds between two health checks, unless the bundle sets its own."""
WIDEST_INTERVAL = 5.0
"""Up to so many while all is well: each check stands in the service's own log. An exit is noticed
at once, without any check."""


class Health(Document, frozen=True, kw_only=True):
    """How to ask a running service whether it is well.

    The Go runtime takes the expression of a ``log_match`` from ``path``; ``pattern`` is the name
    that authors expect. :attr:`expression` is the one that counts.
    """

    type: Literal["http", "tcp", "command", "log_match"]
    path: str = ""
    pattern: str = ""
    port_name: str = ""
    command: list[str] = []
    interval_ms: Milliseconds | None = None
    timeout_ms: Milliseconds = 2000
    retries: Annotated[int, msgspec.Meta(ge=1, le=LARGEST)] = 3

    @property
    def interval(self) -> float:
        """Seconds between two checks: half a second where the bundle says nothing."""
        return INTERVAL if self.interval_ms is None else self.interval_ms / 1000

    @property
    def widest_interval(self) -> float:
        """Seconds between two checks of a service that has been well for a while."""
        return WIDEST_INTERVAL if self.interval_ms is None else self.interval

    @property
    def request_path(self) -> str:
        """What an http check asks for; always starts with a slash."""
        return self.path if self.path.startswith("/") else f"/{self.path}"

    @property
    def expression(self) -> str:
        """The regular expression of a log_match check; empty when there is none."""
        return self.pattern or self.path


class Readiness(Document, frozen=True, kw_only=True):
    """When a starting service counts as ready; ``timeout_ms`` bounds the whole wait.

    ``notify`` and ``watchdog_ms`` are extensions of ours: the service tells by itself.
    """

    type: Literal["health_success", "port_open", "log_match", "dependencies_ready", "notify"]
    port_name: str = ""
    pattern: str = ""
    timeout_ms: Milliseconds = 30_000
    watchdog_ms: Milliseconds | None = None


class Migration(Document, frozen=True, kw_only=True):
    """A command that is run before a service starts; each version once per service.

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


class RestartPolicy(Extension, frozen=True, kw_only=True):
    """When and how fast a service is restarted; at most ``intensity`` times in ``period_ms``."""

    policy: Literal["always", "on_failure", "never"] = "on_failure"
    backoff_ms: Count = 100
    backoff_factor: Annotated[float, msgspec.Meta(ge=1, le=100)] = 2.0
    backoff_max_ms: Milliseconds = 30_000
    intensity: Count = 5
    period_ms: Milliseconds = 60_000


class StopHttp(Extension, frozen=True, kw_only=True):
    """The request (POST, without a body) by which a service is asked to stop."""

    path: NonEmpty
    port_name: str = ""


class StopPolicy(Extension, frozen=True, kw_only=True):
    """How a service is asked to stop and how long it may take before its tree is killed.

    ``to`` says who gets the signal: the ``leader`` (the process that was started) alone, as with
    systemd's ``KillMode=mixed``, or every process of its ``tree``. Once the leader has ended, what
    is left of the tree gets the signal too. On Windows all get it always.
    """

    signal: Literal["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGKILL"] = (
        "SIGTERM"
    )
    to: Literal["leader", "tree"] = "leader"
    timeout_ms: Count = 5000
    http: StopHttp | None = None


class Startup(Extension, frozen=True, kw_only=True):
    """A bound on a start from the spawn to ready; preparation has bounds of its own."""

    timeout_ms: Milliseconds = 120_000


class DataSnapshot(Extension, frozen=True, kw_only=True):
    """The copy of a service's data_dirs before its first upgrade migration.

    Data larger than ``max_bytes`` is not copied: the upgrade goes on without a way back.
    """

    max_bytes: Count = 2 * 1024**3


class Supervision(Extension, frozen=True, kw_only=True):
    """What happens to the others when a service fails (OTP's supervisor strategies).

    ``intensity`` and ``period_ms`` bound how often a whole group (``rest_for_one``,
    ``one_for_all``) is restarted; a service's own restarts are bounded by its ``restart``.
    """

    strategy: Literal["one_for_one", "rest_for_one", "one_for_all"] = "one_for_one"
    intensity: Count = 5
    period_ms: Milliseconds = 60_000


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
        return self.metadata.get("run_mode") == "on_demand"


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
