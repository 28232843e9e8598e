"""Everything that is wrong with the files of a service, at once, without starting anything.

What a start would find out one by one; what is a matter of the manifest alone is found by
:mod:`bundlevisor.manifest.check`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial

import msgspec

from bundlevisor.actors.launch.inputs import StartInputs
from bundlevisor.actors.launch.page import page_of
from bundlevisor.actors.launch.spec import LaunchSpec
from bundlevisor.actors.prepare import assets
from bundlevisor.actors.prepare.cancelled import Wanted, always
from bundlevisor.actors.process import binary
from bundlevisor.manifest.format.findings import Finding, Findings, child
from bundlevisor.manifest.format.paths import PathRefused, within
from bundlevisor.manifest.format.reserved_paths import normal
from bundlevisor.manifest.plan.assets import Verified
from bundlevisor.manifest.plan.command import CommandNotFound, find, names_program
from bundlevisor.manifest.plan.environment import secret_path
from bundlevisor.manifest.plan.launch import (
    LaunchPlan,
    binary_folder,
    plan_health,
    plan_migration,
    plan_service,
    working_folder,
)
from bundlevisor.manifest.plan.template import Unresolved


class BinaryMissing(Finding, frozen=True):
    """A binary that is not there: the platform it is for, and its path as the bundle has it."""

    platform: str = ""
    binary: str = ""


class Subject(msgspec.Struct, frozen=True):
    """A service that is looked at, as ``platform`` (a canonical key) would run it."""

    spec: LaunchSpec
    inputs: StartInputs
    platform: str

    @property
    def path(self) -> str:
        """The service's JSON path."""
        return f"services[{self.spec.index}]"

    @property
    def binary_path(self) -> str:
        """The JSON path of the binary that is chosen."""
        service, chosen = self.spec.service, self.spec.binary
        keys = (key for key, one in service.binaries.items() if one is chosen)
        return child(f"{self.path}.binaries", next(keys, self.platform)) + ".path"

    @property
    def environment(self) -> Mapping[str, str]:
        """What the service would be given; the runtime's own where that cannot be rendered."""
        try:
            return self.spec.environment(self.inputs, "")
        except (Unresolved, PathRefused):
            return self.spec.site.environment

    def finding(self, code: str, path: str, reason: str) -> Finding:
        """Return a finding about this service."""
        id_ = self.spec.service.id
        return Finding(code, path, f"service '{id_}': {reason}", id_)


def inspect(
    subject: Subject, known: Mapping[str, Verified], *, full: bool = False, wanted: Wanted = always
) -> Findings:
    """Return what is wrong with a service's files; ``known`` assets are not hashed again."""
    spec, root = subject.spec, subject.spec.site.bundle_root
    seen = assets.look(spec.service, spec.index, root, dict(known), full=full, wanted=wanted)
    return Findings(service_errors=(*_failures(subject), *seen.failures), warnings=seen.warnings)


def _failures(subject: Subject) -> Iterator[Finding]:
    if subject.spec.page:
        yield from _of_page(subject)
    elif subject.spec.binary is not None:
        yield from _of_binary(subject)
        yield from _of_working_folder(subject)
    if not _lies_outside(subject):
        for path, plan in _commands(subject):
            yield from _of_command(subject, path, plan)
    yield from _of_folders(subject)


def _lies_outside(subject: Subject) -> bool:
    """Whether the binary, from which commands are looked for, lies outside: that is said."""
    spec = subject.spec
    scope = spec.scope(subject.inputs)
    try:
        binary_folder(spec.binary, scope)
        working_folder(spec.binary, scope)
    except PathRefused:
        return True
    except Unresolved:
        pass  # the manifest's own check has said so
    return False


def _of_binary(subject: Subject) -> Iterator[Finding]:
    try:
        plan = _plan(subject)
        _examine(subject, binary.locate(plan, subject.spec.site.bundle_root), plan)
    except binary.Unusable as unusable:
        found = subject.finding(unusable.code, subject.binary_path, str(unusable))
        yield _missing(subject, found) if found.code == "binary_missing" else found
    except PathRefused as refused:
        yield subject.finding(refused.code, subject.binary_path, str(refused))
    except OSError as error:
        reason = f"binary cannot be read: {error.strerror or error}"
        yield subject.finding("binary_not_executable", subject.binary_path, reason)


def _plan(subject: Subject) -> LaunchPlan:
    """Return how the binary is run, also in no folder of its own; raises Unusable, PathRefused."""
    spec = subject.spec
    if spec.binary is None:
        raise binary.Unusable("binary_not_defined", "there is no binary for this platform")
    bare = msgspec.structs.replace(spec.binary, cwd="", args=[])
    scope = spec.scope(subject.inputs)
    plan = plan_service(bare, scope, dict(subject.environment))
    with suppress(PathRefused, Unresolved):
        plan = msgspec.structs.replace(plan, cwd=working_folder(spec.binary, scope))
    return plan


def _missing(subject: Subject, found: Finding) -> BinaryMissing:
    chosen = subject.spec.binary
    return BinaryMissing(
        found.code,
        found.path,
        found.message,
        found.service,
        subject.platform,
        chosen.path if chosen else "",
    )


def _examine(subject: Subject, program: str, plan: LaunchPlan) -> None:
    """Raise Unusable for a file that does not run here, or for a script that names nobody.

    What PATH finds in app-data may be made there before it is needed.
    """
    binary.examine(program, subject.platform)
    if subject.platform.startswith("win-"):
        return  # it does not read the first line
    folders = binary.folders_of_path(plan)
    made = any(map(subject.spec.site.is_data, folders))
    if trouble := binary.missing_interpreter(program, () if made else folders):
        raise binary.Unusable("interpreter_missing", trouble)


def _of_working_folder(subject: Subject) -> Iterator[Finding]:
    spec = subject.spec
    path = subject.binary_path.removesuffix("path") + "cwd"
    try:
        folder = working_folder(spec.binary, spec.scope(subject.inputs))
    except PathRefused as refused:
        yield subject.finding(refused.code, path, str(refused))
    except Unresolved:
        return  # the manifest's own check has said so
    else:
        if not os.path.isdir(folder) and not spec.site.is_data(folder):
            reason = f"working directory not found: {folder}; is the bundle complete?"
            yield subject.finding("working_folder_missing", path, reason)


def _leads_out(path: str) -> bool:
    """Whether the text alone leads out of app-data: the manifest's own rules have said so."""
    try:
        normal(path, template=True)
    except PathRefused:
        return True
    return False


def _of_page(subject: Subject) -> Iterator[Finding]:
    spec = subject.spec
    service, root = spec.service, spec.site.bundle_root
    from_binary = spec.binary is not None and bool(spec.binary.path)
    path = subject.binary_path if from_binary else f"{subject.path}.assets[0].path"
    try:
        page = page_of(service, spec.binary, root)
    except PathRefused as refused:
        yield subject.finding(refused.code, path, str(refused))
        return
    if page is None:
        return
    if not service.port_requests:
        reason = "there is no port to serve on; request one."
        yield subject.finding("ui_without_port", f"{subject.path}.ports", reason)
    yield from _of_page_settings(subject)
    try:
        lack = page.lack()
    except PathRefused as refused:
        yield subject.finding(refused.code, path, str(refused))
        return
    if lack and os.path.isdir(page.root):
        yield subject.finding("page_missing", path, lack)
    elif lack and os.path.isfile(page.root):
        yield subject.finding("binary_not_executable", path, lack)
    elif lack and from_binary:
        yield _missing(subject, subject.finding("binary_missing", path, lack))


def _of_page_settings(subject: Subject) -> Iterator[Finding]:
    from bundlevisor.actors.ui_server.metadata import read

    for name, value in subject.spec.service.metadata.items():
        try:
            read({name: value})
        except ValueError as error:
            yield subject.finding("page_setting_invalid", f"{subject.path}.metadata", str(error))


def _commands(subject: Subject) -> Iterator[tuple[str, Callable[[], LaunchPlan]]]:
    """Yield each command of the service with its JSON path."""
    spec = subject.spec
    service, health = spec.service, spec.service.health
    rest = spec.binary, spec.scope(subject.inputs), dict(subject.environment)
    for index, migration in enumerate(service.migrations):
        if names_program(migration.command):
            path = f"{subject.path}.migrations[{index}].command[0]"
            yield path, partial(plan_migration, migration, *rest)
    if health is not None and health.type == "command" and names_program(health.command):
        path = f"{subject.path}.health.command[0]"
        yield path, partial(plan_health, health.command, *rest)


def _of_command(
    subject: Subject, path: str, make_plan: Callable[[], LaunchPlan]
) -> Iterator[Finding]:
    """Look at a command's program, unless it is one that the service makes in its data."""
    site = subject.spec.site
    try:
        plan = make_plan()
        if site.is_data(plan.programs[0]):
            return
        program = find(plan.word, plan.programs)
        if within(program, site.bundle_root):
            _examine(subject, program, plan)
    except PathRefused as refused:
        yield subject.finding(refused.code, path, str(refused))
    except CommandNotFound as missing:
        code = "binary_not_executable" if missing.forbidden else "command_missing"
        yield subject.finding(code, path, str(missing))
    except binary.Unusable as unusable:
        yield subject.finding(unusable.code, path, str(unusable))
    except OSError as error:
        reason = f"{program} cannot be read: {error.strerror or error}"
        yield subject.finding("binary_not_executable", path, reason)
    except Unresolved:
        return


def _of_folders(subject: Subject) -> Iterator[Finding]:
    """Look whether a link leads a data folder, the log or a file secret out of app-data."""
    spec = subject.spec
    service, site = spec.service, spec.site
    scope = spec.scope(subject.inputs)
    for index, folder in enumerate(service.data_dirs):
        try:
            spec.data_folder(folder)
        except PathRefused as refused:
            path = f"{subject.path}.data_dirs[{index}]"
            yield subject.finding(refused.code, path, str(refused))
        except Unresolved:
            continue
    try:
        spec.keep_log_inside()
    except PathRefused as refused:
        yield subject.finding(refused.code, f"{subject.path}.log_dir", str(refused))
    for index, id_ in enumerate(service.secrets):
        secret = site.secrets.get(id_)
        if secret is None or secret.target.type != "file" or _leads_out(secret.target.name or id_):
            continue
        try:
            secret_path(secret, scope)
        except PathRefused as refused:
            path = f"{subject.path}.secrets[{index}]"
            yield subject.finding(refused.code, path, f"secret '{id_}': {refused}")
        except Unresolved:
            continue
