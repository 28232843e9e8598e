"""What the runtime itself keeps under app-data, and where a bundle's own names lie there.

Who has which of these places, and that no two have the same one, is in
:mod:`bundlevisor.manifest.plan.claims`.
"""

from __future__ import annotations

from bundlevisor.manifest.format.paths import PathRefused, is_template_of, normalise
from bundlevisor.manifest.format.schema import Manifest, Service

FILES = (
    "secrets.json",
    "migrations.json",
    "runtime/instance.json",
    "runtime/ipc_port",
    "runtime/last_end.json",
    "runtime/lock",
    "runtime/ports.json",
    "runtime/timelines.json",
    "runtime/verified.json",
)
FOLDERS = ("snapshots",)
"""All that is below them is the runtime's."""

TELEMETRY = ("", ".1")
"""What the names of the telemetry files end with, behind ``telemetry.file``."""
ROTATED = ("", ".1", ".2")
"""What the names of a log's parts end with, the newest first."""
PUT_BACK = (".restoring", ".broken")
"""What stands beside a data folder, under its name and these, while an upgrade is taken back."""


def normal(path: str, *, template: bool = False) -> str:
    """Return a path under app-data in one form: forward slashes, no ``..``; ``.`` for app-data.

    With ``template`` a ``${data}`` at its beginning is app-data. Raises PathRefused for a path
    that leaves app-data.
    """
    if template and is_template_of(path, "data"):
        path = path.removeprefix("${data}").lstrip("/\\")
    return normalise(path, windows=False)


def folded(path: str) -> str:
    """Return what two paths have in common that are one where case, or how a letter is made, is not
    told apart (APFS, NTFS)."""
    if path.isascii():
        return path.lower()
    import unicodedata

    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", path).casefold())


def log_place(service: Service) -> str:
    """Return where a service's log lies under app-data, as far as its manifest says."""
    path = service.log_dir.replace("\\", "/")
    if not path:
        return f"logs/{service.id}.log"
    is_file = "." in path.rpartition("/")[2][1:]
    return path if is_file else f"{path}/{service.id}.log"


def holds_own(folder: str, manifest: Manifest) -> bool:
    """Whether a data folder, relative to app-data, has files of the runtime in it."""
    chosen = (manifest.ipc.auth_token_path, manifest.telemetry.file)
    try:
        place = folded(normal(folder, template=True))
        owned = [*FILES, *FOLDERS, *(folded(normal(path)) for path in chosen)]
    except PathRefused:
        return False
    return any(within(own, place) for own in owned) or any(within(place, f) for f in FOLDERS)


def within(place: str, root: str) -> bool:
    """Whether a place under app-data is ``root`` or below it; both in normal form."""
    return root in (".", place) or place.startswith(f"{root}/")
