"""Who has which path under app-data: one rule for all that a bundle names and all that we keep.

A claim that comes later gives way: the runtime's fixed names come first, then default logs, then
what the bundle names, in the order token, telemetry, data folders, logs, file secrets.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Literal

import msgspec

from bundlevisor.manifest.format.app_data import (
    BROKEN,
    FILES,
    LOGS,
    OF_A_LOG,
    RESTORING,
    SNAPSHOTS,
    TELEMETRY,
)
from bundlevisor.manifest.format.paths import PathRefused
from bundlevisor.manifest.format.reserved_paths import folded, log_place, normal
from bundlevisor.manifest.format.schema import Manifest, Service

OURS = "the runtime"


class Claim(msgspec.Struct, frozen=True):
    """A path under app-data in normal form, and who has something there.

    A ``file`` is alone at its path, with folders only above it. A ``folder`` may have others'
    files in it, a ``closed`` one only others' data folders, a ``reserved`` one nothing of others.
    """

    owner: str
    path: str
    kind: Literal["file", "folder", "closed", "reserved"] = "file"
    field: str = ""
    """The JSON path of the field that chose the path; empty where the runtime did."""
    service: str = ""
    ours: bool = False
    """The runtime would lose something of its own, or its user."""
    secret: bool = False
    used: bool = True
    """Whether some service makes it come into being."""

    def at(self, path: str) -> Claim:
        """Return the same claim to another path."""
        return msgspec.structs.replace(self, path=path)


class Conflict:
    """Two claims of which one is in the way of the other; ``later`` gives way."""

    __slots__ = ("earlier", "later")

    def __init__(self, later: Claim, earlier: Claim) -> None:
        self.later = later
        self.earlier = earlier

    @property
    def meets(self) -> bool:
        """Whether they are in each other's way also where case counts."""
        one, other = self.later.path, self.earlier.path
        return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


def claims_of(
    manifest: Manifest, *, every: bool = False, is_file: Callable[[str], bool] | None = None
) -> list[Claim]:
    """Return the claims of a bundle, the strongest first; paths that leave app-data are left out.

    A path that only the start can render (a template) is taken as it is written. Default logs are
    in nobody's way unless something else is named where they lie: else they are left out, unless
    ``every`` claim is wanted. ``is_file`` tells what is a file there already (:func:`log_place`).
    """
    places = tuple((f"services[{index}]", one) for index, one in enumerate(manifest.services))
    logs = functools.partial(_of_log, is_file)
    named = [
        *_of_runtime(manifest.ipc.auth_token_path, ("",), "ipc.auth_token_path"),
        *_of_runtime(manifest.telemetry.file, TELEMETRY, "telemetry.file"),
        *(claim for at, service in places if service.data_dirs for claim in _of_data(at, service)),
        *(claim for at, service in places if service.log_dir for claim in logs(at, service)),
        *_of_secrets(manifest),
    ]
    ours = [
        *(Claim(OURS, path, ours=True) for path in FILES),
        Claim(OURS, SNAPSHOTS, "closed", ours=True),
    ]
    if every or any(_may_meet_default_logs(claim) for claim in named):
        for at, service in places:
            if not service.log_dir:
                ours += logs(at, service)
    return ours + named


def _may_meet_default_logs(claim: Claim) -> bool:
    return claim.path == "." or folded(claim.path.partition("/")[0]) == LOGS


def conflicts(claims: Iterable[Claim]) -> Iterator[Conflict]:
    """Yield what is in the way of an earlier claim, with that; each field once."""
    taken = _Taken()
    told = {""}
    for claim in claims:
        path = folded(claim.path)
        earlier = taken.rival(claim, path)
        if earlier is not None and claim.field not in told:
            told.add(claim.field)
            yield Conflict(claim, earlier)
        taken.add(claim, path)


class _Taken:
    """What has been claimed, by its folded path."""

    def __init__(self) -> None:
        kinds = ("file", "folder", "closed", "reserved")
        self._of_kind: dict[str, dict[str, Claim]] = {kind: {} for kind in kinds}
        self._above: dict[str, Claim] = {}
        """Folders that must be folders, because a claim is below them."""

    def add(self, claim: Claim, path: str) -> None:
        self._of_kind[claim.kind].setdefault(path, claim)
        for above in _above(path):
            self._above.setdefault(above, claim)

    def rival(self, claim: Claim, path: str) -> Claim | None:
        """Return whose claim this one is in the way of."""
        exclusive = [self._of_kind["file"]]
        if claim.kind in ("file", "folder"):
            exclusive.append(self._of_kind["reserved"])
        if claim.kind == "file":
            exclusive.append(self._of_kind["closed"])
        for place in (path, *_above(path)):
            for taken in exclusive:
                if place in taken:
                    return taken[place]
        if claim.kind == "folder":
            return None
        return self._of_kind["folder"].get(path) or self._above.get(path)


def _of_log(is_file: Callable[[str], bool] | None, at: str, service: Service) -> Iterator[Claim]:
    field = f"{at}.log_dir" if service.log_dir else ""
    owner = f"the log of service '{service.id}'"
    try:
        place = log_place(service, is_file)
    except PathRefused:
        return
    for suffix in OF_A_LOG:
        yield Claim(owner, f"{place}{suffix}", field=field, service=service.id)


def _of_data(at: str, service: Service) -> Iterator[Claim]:
    upgrades = any(migration.run_on == "upgrade" for migration in service.migrations)
    if upgrades:
        yield Claim(OURS, f"{SNAPSHOTS}/{service.id}", "reserved", f"{at}.id", ours=True)
    for index, folder in enumerate(service.data_dirs):
        field = f"{at}.data_dirs[{index}]"
        try:
            path = normal(folder, template=True)
        except PathRefused:
            continue
        owner = f"a data folder of service '{service.id}'"
        yield Claim(owner, path, "folder", field, service.id)
        for suffix in (RESTORING, BROKEN) if upgrades and path != "." else ():
            yield Claim(OURS, f"{path}{suffix}", "reserved", field, service.id, ours=True)


def _of_secrets(manifest: Manifest) -> Iterator[Claim]:
    listed = {id_ for service in manifest.services for id_ in service.secrets}
    last = {secret.id: secret for secret in manifest.secrets}
    for index, secret in enumerate(manifest.secrets):
        if secret.target.type == "file" and last[secret.id] is secret:
            try:
                path = normal(secret.target.name or secret.id, template=True)
            except PathRefused:
                continue
            yield Claim(
                f"secret '{secret.id}'",
                path,
                field=f"secrets[{index}].target.name",
                secret=True,
                used=secret.id in listed,
            )


def _of_runtime(path: str, suffixes: tuple[str, ...], field: str) -> Iterator[Claim]:
    try:
        place = normal(path)
    except PathRefused:
        return
    for suffix in suffixes:
        yield Claim(OURS, f"{place}{suffix}", field=field, ours=True)


def _above(path: str) -> Iterator[str]:
    """Yield the folders above a path, app-data last."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path
    if path != ".":
        yield "."
