"""Whether app-data is ours alone, and what links in it make of a bundle's paths."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Literal

if sys.platform == "win32":
    from bundlevisor.actors.files.files_windows import distrust
else:
    from bundlevisor.actors.files.files_posix import distrust

from bundlevisor.manifest.format.app_data import RUNTIME, below
from bundlevisor.manifest.format.findings import Findings, Report
from bundlevisor.manifest.format.paths import PathRefused, crosses_link, part_below, resolve, within
from bundlevisor.manifest.format.reserved_paths import normal
from bundlevisor.manifest.format.schema import UI_BUNDLE, Manifest
from bundlevisor.manifest.plan.claims import Claim, claims_of, conflicts
from bundlevisor.manifest.plan.launch import is_outside


def look(manifest: Manifest, app_data: str, bundle_root: str, *, minds_case: bool) -> Findings:
    """Return whether others could replace what lies in app-data, and which paths of the bundle
    lead out of it, or to one another, by a link.

    Where the bundle itself lies in app-data, its own files are not to be written over either.
    Errors are what the start refuses; service errors fail the services that they name. What a
    service's own folders and files lead out by is left to :mod:`bundlevisor.actors.launch.spec`.
    """
    report = Report()
    if not _trust(app_data, report):
        _trust(below(app_data, RUNTIME), report)
    _lead_inside(manifest, app_data, report)
    files: list[str] = []

    def is_file(path: str) -> bool:
        if os.path.isfile(below(app_data, path)):
            files.append(path)
            return True
        return False

    claims = claims_of(manifest, is_file=is_file)
    own = _of_bundle(manifest, app_data, bundle_root)
    if own or files or _where_they_lead(claims, app_data) != claims:
        from bundlevisor.manifest.check.places import report_conflict

        found = [
            *own,
            *_where_they_lead(claims_of(manifest, every=True, is_file=is_file), app_data),
        ]
        for conflict in conflicts(found):
            report_conflict(conflict, report, minds_case=minds_case)
    return _by_service(report.findings())


def _lead_inside(manifest: Manifest, app_data: str, report: Report) -> None:
    """Report the paths of the bundle as a whole that lead out of app-data."""
    chosen = {
        "ipc.auth_token_path": manifest.ipc.auth_token_path,
        "telemetry.file": manifest.telemetry.file,
    }
    for field, path in chosen.items():
        try:
            resolve(app_data, path)
        except PathRefused as refused:
            report.error(refused.code, field, str(refused))


def _trust(folder: str, report: Report) -> bool:
    """Report why a folder is not to be trusted; whether there was something to report."""
    try:
        refusal, doubt = distrust(folder)
    except OSError:
        return False  # it is not there yet, or will be complained of by whoever opens it
    if refusal:
        report.error("app_data_foreign", "", refusal)
    elif doubt:
        report.warning("app_data_open", "", doubt)
    return bool(refusal or doubt)


def _of_bundle(manifest: Manifest, app_data: str, bundle_root: str) -> list[Claim]:
    """Return the claims of the bundle's own files, where they lie in app-data."""
    top, root = os.path.realpath(app_data), os.path.realpath(bundle_root)
    if not within(root, top):
        return []
    below = part_below(root, top).replace(os.sep, "/")
    paths: dict[str, Literal["file", "folder"]] = {"bundle.json": "file"}
    for service in manifest.services:
        for asset in service.assets:
            paths[asset.path] = "folder"
        for binary in service.binaries.values():
            if binary.path and not is_outside(binary, binary.path):
                paths[binary.path] = "folder" if service.type == UI_BUNDLE else "file"
    claims = []
    for path, kind in paths.items():
        with suppress(PathRefused):  # said by the manifest's own rules
            claims.append(Claim("the bundle", normal(f"{below}/{normal(path)}"), kind, ours=True))
    return claims


def _where_they_lead(claims: list[Claim], app_data: str) -> list[Claim]:
    """Return the claims with the paths that their folders really have."""
    real: dict[str, str] = {}
    moved = []
    for claim in claims:
        above, _, name = claim.path.rpartition("/")
        folder = above if claim.kind == "file" else claim.path
        if folder not in real:
            real[folder] = _real(folder, app_data)
        if real[folder] == folder:
            moved.append(claim)
        elif claim.kind == "file":
            moved.append(claim.at(f"{real[folder]}/{name}".removeprefix("./")))
        else:
            moved.append(claim.at(real[folder]))
    return moved


def _real(folder: str, app_data: str) -> str:
    """Return where a folder below app-data really lies; an absolute path when that is outside."""
    parts = [part for part in folder.split("/") if part not in ("", ".")]
    if not parts or not crosses_link(app_data, parts):
        return folder
    top, place = os.path.realpath(app_data), os.path.realpath(os.path.join(app_data, *parts))
    if not within(place, top):
        return place.replace(os.sep, "/")
    return part_below(place, top).replace(os.sep, "/")


def _by_service(found: Findings) -> Findings:
    of_services = tuple(finding for finding in found.errors if finding.service)
    return Findings(
        errors=tuple(finding for finding in found.errors if not finding.service),
        service_errors=of_services,
        warnings=found.warnings,
    )
