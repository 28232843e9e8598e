"""What a Playwright service finds in its environment without having asked for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bundlevisor.manifest.format.paths import PathRefused, anchor
from bundlevisor.manifest.format.variables import CHROMIUM
from bundlevisor.manifest.plan.template import Scope

Exists = Callable[[str], bool]


def conventions(
    given: Callable[[str], str],
    service_id: str,
    electron: str,
    scope: Scope,
    exists: Exists | None,
) -> dict[str, str]:
    """Return the variables to be added; ``given`` returns what a variable holds already.

    ``electron`` is the path of Electron's own Chromium, empty where there is none.
    """
    port = driver_port(scope.ports.get(service_id, {}))
    defaults = {"ENGINE": "playwright"}
    if port is not None:
        defaults["PLAYWRIGHT_DRIVER_PORT"] = str(port)
        defaults["PLAYWRIGHT_DRIVER_URL"] = f"http://127.0.0.1:{port}"
    added = {name: value for name, value in defaults.items() if not given(name)}
    chromium = chromium_path(given(CHROMIUM), electron, scope, exists)
    return {**added, CHROMIUM: chromium} if chromium else added


def driver_port(ports: Mapping[str, int]) -> int | None:
    """Return Playwright's driver port: the one named ``http``, or the only one."""
    if "http" in ports:
        return ports["http"]
    return next(iter(ports.values())) if len(ports) == 1 else None


def chromium_path(wanted: str, electron: str, scope: Scope, exists: Exists | None) -> str:
    """Return Chromium's path: ``wanted`` in the bundle, or Electron's own where that is missing.

    An empty answer means that neither is known. ``exists`` None: ``wanted`` is taken to be there.
    A path that leads out of the bundle is left as it is, unless Electron has one.
    """
    wanted, electron = wanted.strip(), electron.strip()
    if not wanted:
        return electron
    try:
        path = anchor(wanted, scope.bundle, scope.data)
    except PathRefused:
        return electron or wanted
    if electron and exists is not None and not exists(path):
        return electron
    return path
