"""File secrets: none lies upon another one, upon a log or upon a data folder."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from manifest.check.view import View
from manifest.findings import Report
from manifest.own_files import log_place, normal
from manifest.schema import Secret

_ROTATED = (".1", ".2")
"""What a log's older parts are called behind its own name."""


class _Claim(msgspec.Struct, frozen=True):
    """A path under app-data (as written but for its form), and who has something there."""

    owner: str
    path: str
    used: bool = True
    """Whether some service makes it come into being."""


def check_secret_paths(view: View, report: Report) -> None:
    """Report every file secret whose place somebody else of the bundle has: one would be lost."""
    files, folders = _of_services(view)
    listed = {id_ for place in view.places for id_ in place.service.secrets}
    for index, secret in enumerate(view.manifest.secrets):
        if secret.target.type != "file" or view.secrets[secret.id] is not secret:
            continue
        claim = _of_secret(secret, used=secret.id in listed)
        other = _rival(claim.path.lower(), files, folders)
        if other is not None:
            _report(claim, other, f"secrets[{index}].target.name", view, report)
        _add(claim, files, folders)


def _of_secret(secret: Secret, *, used: bool) -> _Claim:
    path = normal(secret.target.name or secret.id)
    return _Claim(f"secret '{secret.id}'", path, used)


def _of_services(view: View) -> tuple[dict[str, _Claim], dict[str, _Claim]]:
    files: dict[str, _Claim] = {}
    folders: dict[str, _Claim] = {}
    for service in view.manifest.services:
        for folder in service.data_dirs:
            claim = _Claim(f"a data folder of service '{service.id}'", normal(folder))
            for above in (claim.path, *_above(claim.path)):
                folders.setdefault(above.lower(), claim)
        log = normal(log_place(service))
        for part in (log, *(f"{log}{suffix}" for suffix in _ROTATED)):
            _add(_Claim(f"the log of service '{service.id}'", part), files, folders)
    return files, folders


def _add(claim: _Claim, files: dict[str, _Claim], folders: dict[str, _Claim]) -> None:
    files.setdefault(claim.path.lower(), claim)
    for above in _above(claim.path):
        folders.setdefault(above.lower(), claim)


def _rival(path: str, files: dict[str, _Claim], folders: dict[str, _Claim]) -> _Claim | None:
    """Return who has that file, needs a folder in its place, or has a file in its folder's."""
    for above in (path, *_above(path)):
        if above in files:
            return files[above]
    return folders.get(path)


def _above(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _report(claim: _Claim, other: _Claim, path: str, view: View, report: Report) -> None:
    same = claim.path == other.path
    how = "has the same path as" if same else "lies in the way of"
    where = claim.path if same else f"{claim.path}, {other.path}"
    sentence = f"{claim.owner} {how} {other.owner} ({where}); rename its target."
    if claim.used and other.used and (_meet(claim.path, other.path) or not view.minds_case):
        report.error("secret_path_shared", path, sentence)
    else:
        report.warning("secret_path_shared", path, sentence)


def _meet(one: str, other: str) -> bool:
    """Whether two paths are one, or one of them is above the other, where case counts."""
    return one == other or f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")
