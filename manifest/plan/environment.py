"""The environment of a service, made anew at each start, as the format's section on it says."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

from bundlevisor.manifest.format.paths import WINDOWS, anchor
from bundlevisor.manifest.format.schema import Binary, Service
from bundlevisor.manifest.format.secret import Secret
from bundlevisor.manifest.format.variables import (
    APP_DATA_DIR,
    BUNDLE_ROOT,
    ELECTRON_CHROMIUM,
    GPU_AVAILABLE,
    GPU_MODE,
    MARK,
    OF_A_MANAGER,
    PRIVATE_PREFIX,
    SECRET_FILE_PREFIX,
    SERVICE_ID,
)
from bundlevisor.manifest.plan.template import Scope, render as render_text

SEARCHED_WITHOUT_PATH = "/bin:/usr/bin"
"""Where POSIX systems look for a program when there is no PATH (``confstr(_CS_PATH)``, in another
order): a PATH of the bundle's folders alone would hide these from every service."""


def render(
    service: Service,
    binary: Binary | None,
    *,
    base: Mapping[str, str],
    scope: Scope,
    instance_id: str,
    secrets: Mapping[str, str] | None = None,
    gpu_available: bool = False,
    exists: Callable[[str], bool] | None = None,
    windows: bool = WINDOWS,
) -> dict[str, str]:
    """Return the whole environment of one start of ``service``.

    ``base`` is the runtime's own environment; ``secrets`` holds variable names and values (see
    :func:`secret_variables`); ``exists`` tells whether Playwright's Chromium is there (None: it
    is taken to be). Raises :class:`bundlevisor.manifest.plan.template.Unresolved`.
    """
    variables = _Variables(windows)
    variables.take({name: base[name] for name in base if not _is_private(name)})
    variables.take(_of_bundle(scope, variables.get("PATH"), windows))
    variables.take(_of_service(service, scope))
    variables.take(_rendered(service.env, scope))
    variables.take(_rendered(binary.env if binary else {}, scope))
    variables.take(secrets or {})
    variables.take(_of_gpu(service, gpu_available))
    if uses_playwright(service, binary):
        from bundlevisor.manifest.plan.playwright import conventions

        electron = base.get(ELECTRON_CHROMIUM, "")
        variables.take(conventions(variables.get, service.id, electron, scope, exists))
    variables.take({MARK: instance_id})
    return variables.values


def of_helper(base: Mapping[str, str], instance_id: str) -> dict[str, str]:
    """Return the environment of a process of ours that is no service: nobody's secret is in it."""
    kept = {name: value for name, value in base.items() if not _is_private(name)}
    return kept | {MARK: instance_id}


def port_variable(name: str) -> str:
    """Return the variable of a port: ``PORT_`` and the name, upper case, ``_`` for the rest."""
    return f"PORT_{_word(name)}"


def secret_variables(
    service: Service, secrets: Mapping[str, Secret], values: Mapping[str, str], scope: Scope
) -> dict[str, str]:
    """Return the variables through which ``service`` receives its secrets.

    ``values`` holds the known values by id. For a file secret the variable holds its path under
    app-data; where its name is none that a shell can read, it comes a second time with ``_``.
    Secrets without a value are left out. Raises Unresolved and PathRefused.
    """
    variables: dict[str, str] = {}
    for secret_id in service.secrets:
        secret, value = secrets.get(secret_id), values.get(secret_id)
        if secret is None or not value:
            continue
        if secret.target.type == "file":
            path = secret_path(secret, scope)
            variables[f"{SECRET_FILE_PREFIX}{secret_id.upper()}"] = path
            variables[f"{SECRET_FILE_PREFIX}{_word(secret_id)}"] = path
        else:
            variables[secret.target.name or secret_id.upper()] = value
    return variables


def secret_path(secret: Secret, scope: Scope) -> str:
    """Return the absolute path of a file secret, below app-data."""
    return anchor(render_text(secret.target.name or secret.id, scope), scope.data)


def uses_playwright(service: Service, binary: Binary | None) -> bool:
    """Whether Playwright's conventions hold: by the service's id, or by a variable's name."""
    names = (*service.env, *(binary.env if binary else ()))
    return "playwright" in service.id.lower() or any(
        name.startswith("PLAYWRIGHT_") for name in names
    )


def merged(*layers: Mapping[str, str], windows: bool = WINDOWS) -> dict[str, str]:
    """Return the variables of all layers; those of a later one win."""
    variables = _Variables(windows)
    for layer in layers:
        variables.take(layer)
    return variables.values


class _Variables:
    """Variables by name; on Windows ``Path`` and ``PATH`` are one, and the last spelling stays."""

    def __init__(self, windows: bool) -> None:
        self._windows = windows
        self._spelling: dict[str, str] = {}
        """The names as they are written by what they are on Windows; empty elsewhere."""
        self.values: dict[str, str] = {}

    def get(self, name: str) -> str:
        return self.values.get(self._spelling.get(name.upper(), name), "")

    def take(self, more: Mapping[str, str]) -> None:
        if not self._windows:
            self.values.update(more)
            return
        for name, value in more.items():
            former = self._spelling.get(name.upper())
            if former is not None and former != name:
                del self.values[former]
            self._spelling[name.upper()] = name
            self.values[name] = value


@functools.cache
def _is_private(name: str) -> bool:
    return name.upper().startswith(PRIVATE_PREFIX) or name in OF_A_MANAGER


def _of_bundle(scope: Scope, path: str, windows: bool) -> dict[str, str]:
    separator, slash = (";", "\\") if windows else (":", "/")
    folders = [f"{scope.bundle}{slash}bin", f"{scope.bundle}{slash}cli"]
    path = path or ("" if windows else SEARCHED_WITHOUT_PATH)
    return {
        APP_DATA_DIR: scope.data,
        BUNDLE_ROOT: scope.bundle,
        "PATH": separator.join([*folders, path] if path else folders),
    }


def _of_service(service: Service, scope: Scope) -> dict[str, str]:
    ports = scope.ports.get(service.id, {})
    return {
        SERVICE_ID: service.id,
        **{port_variable(name): str(number) for name, number in ports.items()},
    }


def _rendered(values: Mapping[str, str], scope: Scope) -> dict[str, str]:
    return {name: render_text(value, scope) for name, value in values.items()}


def _of_gpu(service: Service, available: bool) -> dict[str, str]:
    variables = {GPU_AVAILABLE: "true" if available else "false"}
    if service.gpu:
        variables[GPU_MODE] = "gpu" if available else "cpu"
    return variables


def _word(name: str) -> str:
    return "".join(
        letter if letter.isascii() and letter.isalnum() else "_" for letter in name.upper()
    )
