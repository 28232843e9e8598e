"""Whether app-data is ours alone, and what links in it make of a bundle's paths."""

from __future__ import annotations

import os
import sys

if sys.platform == "win32":
    from bundlevisor.actors.files.files_windows import distrust
else:
    from bundlevisor.actors.files.files_posix import distrust

from bundlevisor.manifest.format.findings import Findings, Report
from bundlevisor.manifest.format.paths import PathRefused, crosses_link, resolve, within
from bundlevisor.manifest.format.schema import Manifest
from bundlevisor.manifest.plan.claims import Claim, claims_of, conflicts


def look(manifest: Manifest, app_data: str, *, minds_case: bool) -> Findings:
    """Return whether others could replace what lies in app-data, and which paths of the bundle
    lead out of it, or to one another, by a link.

    Errors are what the start refuses; service errors fail the services that they name. What a
    service's own folders and files lead out by is left to :mod:`bundlevisor.actors.launch.spec`.
    """
    report = Report()
    if not _trust(app_data, report):
        _trust(os.path.join(app_data, "runtime"), report)
    chosen = {
        "ipc.auth_token_path": manifest.ipc.auth_token_path,
        "telemetry.file": manifest.telemetry.file,
    }
    for field, path in chosen.items():
        try:
            resolve(app_data, path)
        except PathRefused as refused:
            report.error("path_escapes_root", field, f"{field}: {refused}")
    claims = claims_of(manifest)
    found = _where_they_lead(claims, app_data)
    if found != claims:
        from bundlevisor.manifest.check.places import report_conflict

        for conflict in conflicts(found):
            report_conflict(conflict, report, minds_case=minds_case)
    return _by_service(report.findings())


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


def _where_they_lead(claims: list[Claim], app_data: str) -> list[Claim]:
    """Return the claims with the paths that their folders really have."""
    real: dict[str, str] = {}
    moved = []
    for claim in claims:
        folder, _, name = claim.path.rpartition("/") if claim.kind == "file" else (claim.path,) * 3
        if folder not in real:
            real[folder] = _real(folder, app_data)
        if real[folder] == folder:
            moved.append(claim)
        else:
            path = f"{real[folder]}/{name}".removeprefix("./") if name != folder else real[folder]
            moved.append(claim.at(path))
    return moved


def _real(folder: str, app_data: str) -> str:
    """Return where a folder below app-data really lies; an absolute path when that is outside."""
    parts = [part for part in folder.split("/") if part not in ("", ".")]
    if not parts or not crosses_link(app_data, parts):
        return folder
    top, place = os.path.realpath(app_data), os.path.realpath(os.path.join(app_data, *parts))
    if not within(place, top):
        return place.replace(os.sep, "/")
    return os.path.relpath(place, top).replace(os.sep, "/")


def _by_service(found: Findings) -> Findings:
    of_services = tuple(finding for finding in found.errors if finding.service)
    return Findings(
        errors=tuple(finding for finding in found.errors if not finding.service),
        service_errors=of_services,
        warnings=found.warnings,
    )
