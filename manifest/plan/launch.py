"""What is to be run for a service: program, arguments, folder and environment, all rendered."""

from __future__ import annotations

import os
from collections.abc import Mapping

import msgspec

from bundlevisor.manifest.format.paths import WINDOWS, anchor, resolve
from bundlevisor.manifest.format.schema import Binary, Migration
from bundlevisor.manifest.format.variables import MARK
from bundlevisor.manifest.plan.command import candidates, with_suffixes
from bundlevisor.manifest.plan.environment import merged
from bundlevisor.manifest.plan.template import Scope, render


class DevelopedBinary(Binary, frozen=True, kw_only=True):
    """A binary of an overlay: where ``path`` or ``cwd`` is absolute, it may lie anywhere."""


def is_outside(binary: Binary, path: str) -> bool:
    """Whether a path of a binary may lie outside of the bundle, and is absolute."""
    return isinstance(binary, DevelopedBinary) and os.path.isabs(path)


def program_of(binary: Binary, bundle: str, *, windows: bool = WINDOWS) -> str:
    """Return the absolute path of a binary; raises PathRefused when it leaves the bundle."""
    if is_outside(binary, binary.path):
        return binary.path
    return resolve(bundle, binary.path, windows=windows)


class LaunchPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One process to be spawned.

    ``programs`` are absolute paths: the first one that can be run is meant (see
    :func:`bundlevisor.manifest.plan.command.find`). ``word`` is how the bundle names it.
    ``arguments`` do not repeat it.
    """

    word: str
    programs: tuple[str, ...]
    arguments: tuple[str, ...]
    cwd: str
    environment: dict[str, str]


def plan_service(
    binary: Binary, scope: Scope, environment: dict[str, str], *, windows: bool = WINDOWS
) -> LaunchPlan:
    """Return how a service's binary is run; its folder is the bundle root unless it says ``cwd``.

    Raises PathRefused and Unresolved.
    """
    program = program_of(binary, scope.bundle, windows=windows)
    return LaunchPlan(
        word=binary.path,
        programs=with_suffixes(program, _with_path(environment, windows), windows=windows),
        arguments=tuple(render(argument, scope) for argument in binary.args),
        cwd=working_folder(binary, scope, windows=windows),
        environment=environment,
    )


def plan_health(
    command: list[str],
    binary: Binary | None,
    scope: Scope,
    environment: dict[str, str],
    *,
    windows: bool = WINDOWS,
) -> LaunchPlan:
    """Return how a health command is run: in the bundle root, with the service's environment.

    Raises PathRefused and Unresolved.
    """
    return _plan_command(command, binary, scope, environment, scope.bundle, windows)


def plan_migration(
    migration: Migration,
    binary: Binary | None,
    scope: Scope,
    environment: dict[str, str],
    *,
    windows: bool = WINDOWS,
) -> LaunchPlan:
    """Return how a migration is run: in the service's folder, its own variables added.

    Raises PathRefused and Unresolved.
    """
    added = {name: render(value, scope) for name, value in migration.env.items()}
    own = {MARK: environment[MARK]} if MARK in environment else {}
    variables = merged(environment, added, own, windows=windows)
    folder = working_folder(binary, scope, windows=windows)
    return _plan_command(migration.command, binary, scope, variables, folder, windows)


def working_folder(binary: Binary | None, scope: Scope, *, windows: bool = WINDOWS) -> str:
    """Return the absolute folder that a service runs in: its ``cwd``, or the bundle root."""
    if binary is not None and is_outside(binary, binary.cwd):
        return binary.cwd
    cwd = render(binary.cwd, scope) if binary else ""
    return anchor(cwd, scope.bundle, scope.data, windows=windows)


def binary_folder(binary: Binary | None, scope: Scope, *, windows: bool = WINDOWS) -> str:
    """Return the absolute folder of a service's binary; empty where it has none."""
    if binary is None or not binary.path:
        return ""
    return os.path.dirname(program_of(binary, scope.bundle, windows=windows))


def _plan_command(
    command: list[str],
    binary: Binary | None,
    scope: Scope,
    environment: dict[str, str],
    cwd: str,
    windows: bool,
) -> LaunchPlan:
    word, *arguments = [render(text, scope) for text in command]
    places = candidates(
        word,
        bundle=scope.bundle,
        data=scope.data,
        binary_folder=binary_folder(binary, scope, windows=windows),
        environ=_with_path(environment, windows),
        windows=windows,
    )
    return LaunchPlan(
        word=word,
        programs=places,
        arguments=tuple(arguments),
        cwd=cwd,
        environment=environment,
    )


def _with_path(environment: Mapping[str, str], windows: bool) -> Mapping[str, str]:
    """Return the environment with upper-case names where case does not count."""
    if not windows:
        return environment
    return {name.upper(): value for name, value in environment.items()}
