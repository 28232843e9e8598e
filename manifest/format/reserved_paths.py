"""Where the paths of a bundle lie under app-data, and what of the runtime lies there as well.

Who has which of these places, and that no two have the same one, is in
:mod:`bundlevisor.manifest.plan.claims`.
"""

from __future__ import annotations

from collections.abc import Callable

from bundlevisor.manifest.format.app_data import FILES, LOGS, SNAPSHOTS, log_name
from bundlevisor.manifest.format.paths import PathRefused, is_template_of, normalise
from bundlevisor.manifest.format.schema import Manifest, Service


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


def log_place(service: Service, is_file: Callable[[str], bool] | None = None) -> str:
    """Return where a service's log lies under app-data, in normal form.

    ``log_dir`` is a folder, in which ``<id>.log`` is written, when its last part has no suffix or
    it ends with a separator; what ``is_file`` says to be there as a file already is that file.
    Without a ``log_dir`` it is ``logs/<id>.log``. Raises PathRefused for a path that leaves
    app-data.
    """
    name = log_name(service.id)
    if not service.log_dir:
        return f"{LOGS}/{name}"
    path = normal(service.log_dir)
    if path == ".":
        return name
    suffix = path.rpartition("/")[2].lstrip(".").rpartition(".")[1]
    is_folder = service.log_dir[-1] in "/\\" or not suffix
    return f"{path}/{name}" if is_folder and not (is_file and is_file(path)) else path


def holds_own(folder: str, manifest: Manifest) -> bool:
    """Whether a data folder, relative to app-data, has files of the runtime in it."""
    chosen = (manifest.ipc.auth_token_path, manifest.telemetry.file)
    try:
        place = folded(normal(folder, template=True))
        owned = [*FILES, SNAPSHOTS, *(folded(normal(path)) for path in chosen)]
    except PathRefused:
        return False
    return any(within(own, place) for own in owned) or within(place, SNAPSHOTS)


def within(place: str, root: str) -> bool:
    """Whether a place under app-data is ``root`` or below it; both in normal form."""
    return root in (".", place) or place.startswith(f"{root}/")
