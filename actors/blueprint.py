"""How a service is launched: what of the bundle, of this machine and of this start goes into it."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping

import msgspec

from actors import process
from actors.edges.probe import Target
from actors.messages import Inputs
from actors.readiness import port_asked
from manifest import command, environment, paths, template
from manifest.schema import Binary, Health, Secret, Service
from manifest.template import Scope


class Site(msgspec.Struct, frozen=True):
    """Where the bundle runs: the same for all its services."""

    bundle_root: str
    app_data: str
    environment: Mapping[str, str]
    """The runtime's own environment."""
    instance_id: str
    """Of the runtime; every start's SERVICE_INSTANCE_ID begins with it."""
    secrets: Mapping[str, Secret] = {}
    """What the manifest says about secrets, by id; never a value."""


class CannotLaunch(Exception):
    """A sentence that says why there is nothing to spawn; ``fatal``: and never will be."""

    def __init__(self, reason: str, *, fatal: bool = False) -> None:
        self.fatal = fatal
        super().__init__(reason)


class Blueprint(msgspec.Struct, frozen=True):
    """One service on this machine: everything about its launch that does not change."""

    service: Service
    binary: Binary | None
    site: Site
    log_path: str
    depends_on: tuple[str, ...] = ()
    """All services that this one needs, directly or not."""

    def scope(self, inputs: Inputs) -> Scope:
        """Return what this start's templates are rendered with."""
        return Scope(data=self.site.app_data, bundle=self.site.bundle_root, ports=inputs.ports)

    def instance(self, incarnation: int) -> str:
        """Return the SERVICE_INSTANCE_ID of a start."""
        return f"{self.site.instance_id}-{self.service.id}-{incarnation}"

    def environment(self, inputs: Inputs, instance: str) -> dict[str, str]:
        """Return the environment of a start; raises Unresolved or PathRefused."""
        scope = self.scope(inputs)
        return environment.render(
            self.service,
            self.binary,
            base=self.site.environment,
            scope=scope,
            instance_id=instance,
            secrets=environment.secret_variables(
                self.service, self.site.secrets, inputs.secrets, scope
            ),
            gpu_available=inputs.gpu,
            exists=os.path.isfile,
        )

    def target(self, inputs: Inputs, env: dict[str, str], port_name: str) -> Target:
        """Return what a probe asks; CannotLaunch when its command cannot be found."""
        port = inputs.ports.get(self.service.id, {}).get(port_name)
        return Target(port, self._health_command(inputs, env), env, self.site.bundle_root)

    def _health_command(self, inputs: Inputs, env: dict[str, str]) -> list[str]:
        health = self.service.health
        if health is None or health.type != "command" or not health.command:
            return []
        return resolve_command(self, health.command, self.scope(inputs), env)

    def stop_address(self, inputs: Inputs) -> tuple[int, str] | None:
        """Return port and path of the service's own HTTP stop, if it has one."""
        http = self.service.stop.http
        if http is None:
            return None
        port = inputs.ports.get(self.service.id, {}).get(port_asked(self.service, http.port_name))
        return None if port is None else (port, http.path)


def health_port(service: Service, health: Health | None) -> str:
    """Return the name of the port that a health check asks; empty when it asks none."""
    if health is None or health.type not in ("http", "tcp"):
        return ""
    return port_asked(service, health.port_name)


def compose(
    blueprint: Blueprint,
    inputs: Inputs,
    instance: str,
    output: int,
    sockets: tuple[tuple[str, int], ...] = (),
) -> process.Launch:
    """Return what to spawn for one start; CannotLaunch says what is missing."""
    service, binary, site = blueprint.service, blueprint.binary, blueprint.site
    if binary is None:
        raise CannotLaunch(f"service '{service.id}': no binary for this platform", fatal=True)
    scope = blueprint.scope(inputs)
    try:
        env = blueprint.environment(inputs, instance)
        path = paths.anchor(binary.path, site.bundle_root)
        args = [template.render(arg, scope) for arg in binary.args]
        cwd = paths.anchor(
            template.render(binary.cwd, scope) or ".", site.bundle_root, site.app_data
        )
        _make_data_dirs(blueprint)
    except (template.Unresolved, paths.PathRefused) as error:
        raise CannotLaunch(f"service '{service.id}': {error}", fatal=True) from error
    except OSError as error:
        raise CannotLaunch(f"service '{service.id}': {error.filename}: {error.strerror}") from error
    executable = _executable(blueprint, path)
    if not os.path.isdir(cwd):
        raise CannotLaunch(
            f"service '{service.id}': working directory not found: {binary.cwd} (looked in {cwd}); "
            "is the bundle complete?"
        )
    return process.Launch(
        argv=(executable, *args),
        env=env,
        cwd=cwd,
        output=output,
        sockets=sockets,
        instance=instance,
    )


def spawn(blueprint: Blueprint, launch: process.Launch) -> process.Child:
    """Start a composed process; CannotLaunch says why the system refused."""
    try:
        return process.spawn(launch)
    except OSError as error:
        raise CannotLaunch(_refusal(blueprint, launch.argv[0], error)) from error
    except ValueError as error:
        raise CannotLaunch(f"service '{blueprint.service.id}': {error}", fatal=True) from error


def resolve_command(
    blueprint: Blueprint, words: list[str], scope: Scope, env: Mapping[str, str]
) -> list[str]:
    """Return a command with its first word resolved and its templates rendered; CannotLaunch."""
    site, binary = blueprint.site, blueprint.binary
    folder = ""
    if binary is not None and binary.path:
        folder = os.path.dirname(paths.anchor(binary.path, site.bundle_root))
    try:
        rendered = [template.render(word, scope) for word in words]
        places = command.candidates(
            rendered[0],
            bundle=site.bundle_root,
            data=site.app_data,
            binary_folder=folder,
            environ=env,
        )
        return [command.find(rendered[0], places), *rendered[1:]]
    except (template.Unresolved, paths.PathRefused, command.CommandNotFound) as error:
        raise CannotLaunch(f"service '{blueprint.service.id}': {error}", fatal=True) from error


def _executable(blueprint: Blueprint, path: str) -> str:
    """Return the file to run; CannotLaunch when there is none or it must not be run."""
    name = blueprint.binary.path if blueprint.binary else ""
    for candidate in command.with_suffixes(path, blueprint.site.environment):
        if os.path.isfile(candidate):
            if os.access(candidate, os.X_OK):
                return candidate
            raise CannotLaunch(
                f"service '{blueprint.service.id}': binary is not executable: {name} "
                f"({candidate}); set its executable bit"
            )
    kind = "is a folder" if os.path.isdir(path) else "not found"
    shown = os.path.relpath(path, blueprint.site.bundle_root)
    raise CannotLaunch(
        f"service '{blueprint.service.id}': binary {kind}: {name} (looked in "
        f"{os.path.join('BUNDLE', shown)}); is the bundle complete?"
    )


def _make_data_dirs(blueprint: Blueprint) -> None:
    for folder in blueprint.service.data_dirs:
        rendered = template.render(folder, blueprint.scope(Inputs({})))
        os.makedirs(paths.anchor(rendered, blueprint.site.app_data), exist_ok=True)


def _refusal(blueprint: Blueprint, path: str, error: OSError) -> str:
    """Say in a sentence why a file that is there could not be run."""
    name = f"service '{blueprint.service.id}': cannot run {path}"
    if error.errno == errno.ENOENT:
        return f"{name}: the interpreter that it names (#! line or loader) is missing"
    if error.errno == errno.EACCES:
        return f"{name}: permission denied; set its executable bit"
    if error.errno == errno.ENOEXEC:
        return f"{name}: it is not a program for this machine, or a script without a #! line"
    return f"{name}: {error.strerror or error}"
