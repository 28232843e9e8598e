"""How a service is launched: what of the bundle, of this machine and of this start goes into it."""

from __future__ import annotations

import os
from collections.abc import Mapping

import msgspec

from bundlevisor.actors.files import own_file
from bundlevisor.actors.launch.inputs import Concealed, StartInputs, encoded
from bundlevisor.actors.launch.page import PageGroup
from bundlevisor.actors.probes.checks import Target
from bundlevisor.actors.process import binary, children
from bundlevisor.manifest.format.paths import PathRefused, anchor, part_below, resolve, within
from bundlevisor.manifest.format.platform import current_key
from bundlevisor.manifest.format.probe import Health
from bundlevisor.manifest.format.schema import Binary, Service
from bundlevisor.manifest.format.secret import Secret
from bundlevisor.manifest.format.variables import CHROMIUM, ELECTRON_CHROMIUM, mark_of
from bundlevisor.manifest.plan import environment
from bundlevisor.manifest.plan.command import CommandNotFound, find
from bundlevisor.manifest.plan.launch import LaunchPlan, plan_health, plan_service
from bundlevisor.manifest.plan.readiness import Condition, Criterion, criterion, port_asked
from bundlevisor.manifest.plan.template import Scope, Unresolved, render


class BundleSite(msgspec.Struct, frozen=True):
    """Where the bundle runs: the same for all its services."""

    bundle_root: str
    app_data: str
    environment: Mapping[str, str]
    """The runtime's own environment."""
    instance_id: str
    """Of the runtime; every start's SERVICE_INSTANCE_ID begins with it."""
    secrets: Mapping[str, Secret] = {}
    """What the manifest says about secrets, by id; never a value."""

    def is_data(self, path: str) -> bool:
        """Whether a path lies in app-data, where services make it, and not in a bundle in there."""
        root, data = self.bundle_root, self.app_data
        bundle_inside = root != data and within(root, data)
        return within(path, data) and not (bundle_inside and within(path, root))


class CannotLaunch(Exception):
    """A sentence that says why there is nothing to spawn; ``fatal``: and never will be."""

    def __init__(self, reason: str, *, fatal: bool = False) -> None:
        self.fatal = fatal
        super().__init__(reason)


class LaunchSpec(msgspec.Struct, frozen=True):
    """One service on this machine: everything about its launch that does not change."""

    service: Service
    binary: Binary | None
    site: BundleSite
    log_path: str
    depends_on: tuple[str, ...] = ()
    """All services that this one needs, directly or not."""
    index: int = 0
    """Its place in the manifest."""
    page: bool = False
    """The runtime serves it itself: a ui-bundle without a program."""
    upstream: tuple[str, str] | None = None
    """Service and port name of the API behind a page."""
    group: PageGroup | None = None
    """With which other pages it shares a process."""

    @property
    def criterion(self) -> Criterion:
        """When it is ready; a page, whose server says nothing by itself, when it listens."""
        wanted = criterion(self.service)
        if self.page and wanted.condition is Condition.NOTIFIED:
            return Criterion(Condition.LISTENING, port_name=port_asked(self.service, ""))
        return wanted

    def scope(self, inputs: StartInputs) -> Scope:
        """Return what this start's templates are rendered with."""
        return Scope(data=self.site.app_data, bundle=self.site.bundle_root, ports=inputs.ports)

    def instance(self, incarnation: int) -> str:
        """Return the SERVICE_INSTANCE_ID of a start."""
        return mark_of(self.site.instance_id, self.service.id, incarnation)

    def environment(self, inputs: StartInputs, instance: str) -> dict[str, str]:
        """Return the environment of a start; raises Unresolved, PathRefused or CannotLaunch."""
        if inputs.secrets:
            self._refuse_unfit(inputs.secrets)
        scope = self.scope(inputs)
        variables = environment.render(
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
        return Concealed(variables)

    def _refuse_unfit(self, values: Mapping[str, str]) -> None:
        """Raise CannotLaunch for a value that was kept, though no variable can hold it."""
        from bundlevisor.manifest.plan.secrets import why_unfit

        for id_, value in values.items():
            if unfit := why_unfit(self.site.secrets[id_], value):
                given = f"give it another one (bundlevisor secrets set {id_})"
                reason = f"the value of '{id_}' {unfit}, which no variable can hold; {given}"
                raise self.refusal(reason, fatal=True)

    def chromium_fallback(self, env: Mapping[str, str]) -> tuple[str, str] | None:
        """Return the Chromium that a Playwright service misses, and Electron's in its place.

        The first is empty for a service that names none.
        """
        electron = self.site.environment.get(ELECTRON_CHROMIUM, "").strip()
        if not electron or env.get(CHROMIUM) != electron:
            return None
        given = (self.binary.env if self.binary else {}, self.service.env, self.site.environment)
        wanted = next((one[CHROMIUM] for one in given if CHROMIUM in one), "")
        wanted = wanted.strip()
        if wanted == electron or not environment.uses_playwright(self.service, self.binary):
            return None
        return wanted, electron

    @property
    def reads_secret_files(self) -> bool:
        """Whether some of its secrets are handed to it in files."""
        named = (self.site.secrets.get(id_) for id_ in self.service.secrets)
        return any(secret is not None and secret.target.type == "file" for secret in named)

    def secret_files(self, inputs: StartInputs) -> dict[str, bytes]:
        """Return the files through which a start gets secrets, by absolute path.

        CannotLaunch when a path cannot be made out, or leaves app-data.
        """
        secrets, scope = self.site.secrets, self.scope(inputs)
        try:
            return {
                environment.secret_path(secrets[id_], scope): content
                for id_, content in encoded(inputs.secrets)
                if secrets[id_].target.type == "file"
            }
        except (Unresolved, PathRefused) as error:
            raise self.refusal(f"secret: {error}", fatal=True) from error

    def target(self, inputs: StartInputs, env: dict[str, str], port_name: str) -> Target:
        """Return what a probe asks; CannotLaunch when its command cannot be made out.

        A command whose program is gone meanwhile is asked all the same: each time it says so.
        """
        port = inputs.ports.get(self.service.id, {}).get(port_name)
        plan = self._health_plan(inputs, env)
        if plan is None:
            return Target(port)
        try:
            program = find(plan.word, plan.programs)
        except CommandNotFound:
            program = plan.programs[0]
        return Target(port, [program, *plan.arguments], env, self.site.bundle_root)

    @property
    def asks_by_command(self) -> bool:
        """Whether the health check is a command."""
        health = self.service.health
        return health is not None and health.type == "command" and bool(health.command)

    def require_health_command(self, inputs: StartInputs, env: dict[str, str]) -> None:
        """Raise CannotLaunch when the health check is a command that can never be run.

        One in the app's data may be made by the service itself.
        """
        plan = self._health_plan(inputs, env)
        if plan is None or self.site.is_data(plan.programs[0]):
            return
        try:
            find(plan.word, plan.programs)
        except CommandNotFound as error:
            raise self.refusal(f"health: {error}") from error

    def _health_plan(self, inputs: StartInputs, env: dict[str, str]) -> LaunchPlan | None:
        health = self.service.health
        if health is None or not self.asks_by_command:
            return None
        try:
            return plan_health(health.command, self.binary, self.scope(inputs), env)
        except (Unresolved, PathRefused) as error:
            raise self.refusal(f"health: {error}", fatal=True) from error

    def refusal(self, reason: str, *, fatal: bool = False) -> CannotLaunch:
        """Return the error that says why this service cannot be launched."""
        return CannotLaunch(f"service '{self.service.id}': {reason}", fatal=fatal)

    def data_folders(self) -> tuple[str, ...]:
        """Return the absolute paths of the service's data_dirs; raises Unresolved, PathRefused."""
        return tuple(map(self.data_folder, self.service.data_dirs))

    def data_folder(self, folder: str) -> str:
        """Return the absolute path of one of the data_dirs; raises Unresolved, PathRefused."""
        return anchor(render(folder, self.scope(StartInputs({}))), self.site.app_data)

    def keep_log_inside(self) -> None:
        """Raise PathRefused where a link leads the log that ``log_dir`` names out of app-data."""
        if self.service.log_dir:
            resolve(self.site.app_data, part_below(self.log_path, self.site.app_data))

    def stop_address(self, inputs: StartInputs) -> tuple[int, str] | None:
        """Return port and path of the service's own HTTP stop, if it has one."""
        http = self.service.stop.http
        if http is None:
            return None
        port = inputs.ports.get(self.service.id, {}).get(port_asked(self.service, http.port_name))
        return None if port is None else (port, http.request_path)


def health_port(service: Service, health: Health | None) -> str:
    """Return the name of the port that a health check asks; empty when it asks none."""
    if health is None or health.type not in ("http", "tcp"):
        return ""
    return port_asked(service, health.port_name)


NO_OUTPUT = -1
"""A launch has one only once it is about to be spawned."""


def build_launch(
    spec: LaunchSpec,
    inputs: StartInputs,
    instance: str,
    own: Mapping[str, str] | None = None,
) -> children.SpawnRequest:
    """Return what to spawn for one start, but for its output; CannotLaunch says what is missing.

    ``own``: variables that no bundle can give another value. The data folders have been made.
    """
    chosen = spec.binary
    if chosen is None:
        raise spec.refusal("no binary for this platform", fatal=True)
    try:
        env = spec.environment(inputs, instance)
        env.update(own or {})
        plan = plan_service(chosen, spec.scope(inputs), env)
    except (Unresolved, PathRefused) as error:
        raise spec.refusal(str(error), fatal=True) from error
    return children.SpawnRequest(
        argv=(_executable(spec, chosen, plan), *plan.arguments),
        env=env,
        cwd=plan.cwd,
        output=NO_OUTPUT,
        instance=instance,
    )


def _executable(spec: LaunchSpec, chosen: Binary, plan: LaunchPlan) -> str:
    """Return the program, once it and the folder that it runs in are there."""
    try:
        executable = binary.locate(plan, spec.site.bundle_root)
    except binary.Unusable as unusable:
        raise spec.refusal(str(unusable)) from unusable
    if trouble := binary.missing_folder(plan.cwd, chosen.cwd, is_data=spec.site.is_data(plan.cwd)):
        raise spec.refusal(trouble)
    return executable


def spawn(spec: LaunchSpec, launch: children.SpawnRequest) -> children.Child:
    """Start what was built; CannotLaunch says why the system refused."""
    try:
        return children.spawn(launch)
    except OSError as error:
        refused = binary.why_refused(launch.argv[0], error, current_key())
        foreign = refused.code == "binary_wrong_architecture"
        raise spec.refusal(str(refused), fatal=foreign) from error
    except ValueError as error:
        raise spec.refusal(str(error), fatal=True) from error


def have_data_dirs(spec: LaunchSpec) -> None:
    """Make the service's data folders, for the user alone (0700); CannotLaunch says why not."""
    try:
        for folder in spec.data_folders():
            own_file.make_folder(folder)
    except (Unresolved, PathRefused) as error:
        raise spec.refusal(str(error), fatal=True) from error
    except OSError as error:
        raise spec.refusal(f"{error.filename}: {error.strerror}") from error
