"""What the runtime itself keeps under app-data, so that no bundle's own data lies upon it."""

from __future__ import annotations

from manifest.paths import PathRefused, is_template_of, normalise
from manifest.schema import Manifest, Service

FILES = (
    "secrets.json",
    "migrations.json",
    "runtime/instance.json",
    "runtime/ipc_port",
    "runtime/lock",
    "runtime/ports.json",
    "runtime/timelines.json",
    "runtime/verified.json",
)
FOLDERS = ("snapshots",)
"""All that is below them is the runtime's."""


def normal(path: str) -> str:
    """Return a path under app-data in one form: ``${data}`` taken off, forward slashes."""
    below = path.removeprefix("${data}").lstrip("/\\") if is_template_of(path, "data") else path
    try:
        return normalise(below)
    except PathRefused:
        return below


def log_place(service: Service) -> str:
    """Return where a service's log lies under app-data, as far as its manifest says."""
    path = service.log_dir.replace("\\", "/")
    if not path:
        return f"logs/{service.id}.log"
    is_file = path[-1] != "/" and "." in path.rsplit("/", 1)[-1][1:]
    return path if is_file else f"{path}/{service.id}.log"


def is_own(path: str, manifest: Manifest) -> bool:
    """Whether a file at this path, relative to app-data, would be one of the runtime's.

    Also one in whose place the runtime needs a folder, or the other way round.
    """
    place = _normal(path)
    return any(_within(place, own) or _within(own, place) for own in (*_files(manifest), *FOLDERS))


def holds_own(folder: str, manifest: Manifest) -> bool:
    """Whether a folder, relative to app-data, has files of the runtime in it."""
    place = _normal(folder)
    owned = (*_files(manifest), *FOLDERS)
    return any(_within(own, place) for own in owned) or any(_within(place, f) for f in FOLDERS)


def _files(manifest: Manifest) -> tuple[str, ...]:
    telemetry = _normal(manifest.telemetry.file)
    return (*FILES, _normal(manifest.ipc.auth_token_path), telemetry, f"{telemetry}.1")


def _normal(path: str) -> str:
    return normal(path).lower()


def _within(path: str, root: str) -> bool:
    return root in ("", ".", path) or path.startswith(f"{root}/")
