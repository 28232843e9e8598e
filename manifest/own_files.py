"""What the runtime itself keeps under app-data, so that no bundle's own data lies upon it."""

from __future__ import annotations

from manifest.paths import PathRefused, normalise
from manifest.schema import Manifest

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
    return (*FILES, _normal(manifest.ipc.auth_token_path), _normal(manifest.telemetry.file))


def _normal(path: str) -> str:
    below = path.removeprefix("${data}").lstrip("/\\")
    try:
        return normalise(below).replace("\\", "/").lower()
    except PathRefused:
        return below


def _within(path: str, root: str) -> bool:
    return root in ("", ".", path) or path.startswith(f"{root}/")
