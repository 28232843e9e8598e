"""What a start would start, without starting anything and without writing a file.

Made from the same parts as a start: the checked manifest, the choice of ports, the launch of each
service. Values of secrets are not read, only whether there are any.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import msgspec

from bundlevisor.actors.core.life import readiness_timeout, startup_timeout
from bundlevisor.actors.gpu import presence
from bundlevisor.actors.gpu.requirement import shortcomings
from bundlevisor.actors.launch.inputs import StartInputs
from bundlevisor.actors.launch.page import page_of
from bundlevisor.actors.launch.spec import LaunchSpec
from bundlevisor.actors.ports import remembered as memory
from bundlevisor.actors.ports.reservations import is_taken
from bundlevisor.actors.process import binary
from bundlevisor.actors.secrets import store
from bundlevisor.actors.validation.inspection import Subject, inspect
from bundlevisor.control.run.bundle import Bundle
from bundlevisor.control.run.launch_specs import launch_specs
from bundlevisor.control.run.options import RunOptions
from bundlevisor.manifest.format import platform
from bundlevisor.manifest.format.paths import PathRefused, app_data_folder
from bundlevisor.manifest.format.schema import Manifest
from bundlevisor.manifest.format.variables import MARK, SECRET_FILE_PREFIX
from bundlevisor.manifest.plan import ports as plan_ports, secrets as plan_secrets
from bundlevisor.manifest.plan.launch import plan_service
from bundlevisor.manifest.plan.readiness import Condition, criterion
from bundlevisor.manifest.plan.template import Unresolved
from bundlevisor.manifest.plan.template_uses import ports_named
from bundlevisor.manifest.read.load import Loaded

MASK = "********"
"""What stands for the value of a secret."""

Ports = dict[str, dict[str, int]]


class PlannedSecret(msgspec.Struct, frozen=True):
    """A secret of a service: how it gets it, and whether there is a value; never the value."""

    id: str
    variable: str
    source: str
    has_value: bool


class PlannedService(msgspec.Struct, frozen=True, kw_only=True):
    """One service as it would be started; ``problem`` says why it cannot be."""

    id: str
    type: str
    wave: int
    """From 0: services of one wave may start side by side."""
    after: tuple[str, ...]
    on_demand: bool
    command: tuple[str, ...] = ()
    page: str = ""
    """The folder that the runtime serves itself, where there is no command."""
    upstream: str = ""
    """``SERVICE.PORT`` of the API behind the page."""
    cwd: str = ""
    ports: dict[str, int] = {}
    environment: dict[str, str] = {}
    """What is added to the runtime's own, or changed in it; secrets are masked."""
    secrets: tuple[PlannedSecret, ...] = ()
    ready_when: str = ""
    problem: str = ""


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle as it would be started."""

    app: str
    version: str
    manifest: str
    overlays: tuple[str, ...]
    bundle_root: str
    app_data: str
    platform: str
    host: str
    port: int
    """Of the control API; 0 asks for any."""
    running: bool
    """Whether an instance runs on the app-data; its ports are shown then."""
    services: tuple[PlannedService, ...]
    """In the order in which they would start."""


def preview(loaded: Loaded, options: RunOptions, environ: Mapping[str, str]) -> Preview:
    """Return what a start would start; raises PathRefused where a link leads a file of ours out.

    ``loaded`` has no errors.
    """
    manifest = loaded.manifest
    assert manifest is not None  # noqa: S101
    app_data = os.path.abspath(options.app_data or app_data_folder(manifest.app.name, environ))
    bundle = Bundle(manifest, loaded, options, app_data, "MARK")
    running = memory.of_running(app_data) is not None
    plan = _ports(manifest, app_data, running=running)
    short = _lacks(loaded, manifest, plan, environ)
    wave_of = {id_: n for n, wave in enumerate(bundle.graph.waves) for id_ in wave}
    specs, kept = launch_specs(bundle), _kept(app_data, manifest)
    services = tuple(
        _service(
            specs[id_],
            wave_of[id_],
            bundle.graph.dependencies(id_),
            plan.ports,
            kept,
            short.get(id_, ""),
        )
        for wave in bundle.graph.waves
        for id_ in wave
    )
    return Preview(
        app=manifest.app.name,
        version=manifest.app.version,
        manifest=os.path.abspath(options.manifest),
        overlays=tuple(map(os.path.abspath, options.overlay)),
        bundle_root=bundle.root,
        app_data=app_data,
        platform=platform.current_key(),
        host=manifest.ipc.host,
        port=manifest.ipc.port,
        running=running,
        services=services,
    )


def _lacks(
    loaded: Loaded, manifest: Manifest, plan: plan_ports.PortPlan, environ: Mapping[str, str]
) -> dict[str, str]:
    """Return why services cannot be started, by their ids: the bundle's own fault comes first."""
    gpu = presence.look(environ)
    return {
        **(_lacks_others_port(manifest, plan) if plan.unmet else {}),
        **{finding.service: finding.message for finding in plan.failures},
        **{one.service: one.message for one in shortcomings(manifest, gpu) if one.refused},
        **{one.service: one.message for one in loaded.findings.service_errors},
    }


def _lacks_others_port(manifest: Manifest, plan: plan_ports.PortPlan) -> dict[str, str]:
    """Return which services name a port that its own service does not get."""
    unmet = {demand.key for demand in plan.unmet}
    secrets = {secret.id: secret for secret in manifest.secrets}
    known = {s.id: [r.name for r in s.port_requests] for s in manifest.services}
    return {
        one.id: f"service '{one.id}': there is no free port for ${{{'.'.join(min(named))}}}"
        for one in manifest.services
        if (named := unmet & ports_named(one, secrets, platform.current_key(), known))
    }


def _ports(manifest: Manifest, app_data: str, *, running: bool) -> plan_ports.PortPlan:
    """Choose as a start would; the ports of an instance that runs are its own."""
    before = {
        (service, name): port
        for service, named in memory.peek(app_data).items()
        for name, port in named.items()
    }
    held = frozenset(before.values()) if running else frozenset()
    return plan_ports.choose(
        plan_ports.demands(manifest),
        is_free=lambda port: port in held or not is_taken(port),
        remembered=before,
        reserved=plan_ports.reserved_of(manifest),
        control_port=manifest.ipc.port,
    )


def _kept(app_data: str, manifest: Manifest) -> frozenset[str]:
    """Return the ids of the secrets that have a value, as far as it can be read."""
    if not manifest.secrets:
        return frozenset()
    try:
        kept = store.peek(app_data)
    except (OSError, ValueError):
        return frozenset()
    return kept.in_key_store | {
        secret.id for secret in manifest.secrets if plan_secrets.has_value(secret.id, kept.values)
    }


def _service(
    spec: LaunchSpec,
    wave: int,
    after: tuple[str, ...],
    ports: Ports,
    kept: frozenset[str],
    problem: str,
) -> PlannedService:
    service = spec.service
    planned = PlannedService(
        id=service.id,
        type=service.type,
        wave=wave,
        after=after,
        on_demand=service.on_demand,
        ports=ports.get(service.id, {}),
        upstream=".".join(spec.upstream) if spec.page and spec.upstream else "",
        ready_when=ready_when(spec),
        problem=problem,
    )
    masked = {id_: MASK for id_ in service.secrets if id_ in spec.site.secrets}
    inputs = StartInputs(ports, masked, presence.look(spec.site.environment).available)
    try:
        full = spec.environment(inputs, f"{service.id}-1")
        planned = msgspec.structs.replace(
            planned,
            environment=changes(spec.site.environment, full),
            secrets=_secrets(spec, kept),
        )
        planned = _with_program(planned, spec, inputs, full)
        return msgspec.structs.replace(planned, problem=planned.problem or _trouble(spec, inputs))
    except (Unresolved, PathRefused, binary.Unusable) as error:
        return msgspec.structs.replace(planned, problem=problem or str(error))


def _with_program(
    planned: PlannedService, spec: LaunchSpec, inputs: StartInputs, full: dict[str, str]
) -> PlannedService:
    """Add what is run, or served; raises what cannot be made out."""
    if spec.page:
        page = page_of(spec.service, spec.binary, spec.site.bundle_root)
        return msgspec.structs.replace(planned, page=page.root if page else "")
    if spec.binary is None:
        return planned
    plan = plan_service(spec.binary, spec.scope(inputs), full)
    command = (plan.programs[0], *plan.arguments)
    planned = msgspec.structs.replace(planned, command=command, cwd=plan.cwd)
    try:
        command = (binary.locate(plan, spec.site.bundle_root), *plan.arguments)
    except binary.Unusable as unusable:
        return msgspec.structs.replace(planned, problem=planned.problem or str(unusable))
    return msgspec.structs.replace(planned, command=command)


def _trouble(spec: LaunchSpec, inputs: StartInputs) -> str:
    """Return what is wrong with the service's files first. Sums are left out: they take long."""
    assets = [msgspec.structs.replace(one, sha256="") for one in spec.service.assets]
    service = msgspec.structs.replace(spec.service, assets=assets)
    unsummed = msgspec.structs.replace(spec, service=service)
    found = inspect(Subject(unsummed, inputs, platform.current_key()), {})
    return next((one.message for one in found.service_errors), "")


def changes(base: Mapping[str, str], full: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that are added or changed; an inherited PATH is ``$PATH`` in it."""
    changed = {name: value for name, value in full.items() if base.get(name) != value}
    inherited = base.get("PATH", "")
    if inherited and changed.get("PATH", "").endswith(inherited):
        changed["PATH"] = changed["PATH"].removesuffix(inherited) + "$PATH"
    if MARK in changed:
        changed[MARK] = "(another one at each start)"
    return changed


def _secrets(spec: LaunchSpec, kept: frozenset[str]) -> tuple[PlannedSecret, ...]:
    known = spec.site.secrets
    return tuple(
        PlannedSecret(id_, _variable(spec, id_), known[id_].class_, id_ in kept)
        for id_ in dict.fromkeys(spec.service.secrets)
        if id_ in known
    )


def _variable(spec: LaunchSpec, id_: str) -> str:
    target = spec.site.secrets[id_].target
    if target.type == "file":
        return f"{SECRET_FILE_PREFIX}{id_.upper()}"
    return target.name or id_.upper()


def ready_when(spec: LaunchSpec) -> str:
    """Return in words when a service counts as ready."""
    service = spec.service
    wanted = criterion(service)
    if wanted.condition is Condition.ALIVE:
        return "its process runs"
    bound = min(readiness_timeout(service), startup_timeout(service))
    within = f", within {bound:g} s"
    if wanted.condition is Condition.LOGGED:
        return f"its log has /{wanted.pattern}/{within}"
    if wanted.condition is Condition.NOTIFIED:
        return f"it says so itself{within}"
    health = service.health
    if wanted.condition is Condition.LISTENING or health is None or health.type == "tcp":
        return f"port '{wanted.port_name}' accepts a connection{within}"
    if health.type == "command":
        return f"the command '{' '.join(health.command)}' says so{within}"
    return f"GET {health.request_path} on port '{wanted.port_name}' answers well{within}"
