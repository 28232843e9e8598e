"""What is wrong with a bundle, with or without a running instance."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from bundlevisor.actors.prepare.cancelled import Wanted, always
from bundlevisor.manifest.format.findings import Finding, Findings, joined

if TYPE_CHECKING:
    from bundlevisor.actors.launch.spec import BundleSite
    from bundlevisor.manifest.format.schema import Manifest

    Ports = Mapping[str, Mapping[str, int]]


def look(
    manifest_path: str,
    bundle_root: str,
    app_data: str = "",
    *,
    full: bool = False,
    ports: Ports | None = None,
    overlays: Sequence[str] = (),
    wanted: Wanted = always,
) -> Findings:
    """Return everything that is wrong with a bundle, its files included; starts nothing.

    Assets that a start has verified in ``app_data`` (by default the app's own folder) are not
    hashed again unless ``full``. ``ports`` are those that a running instance has given out (by
    default the one on ``app_data``), ``overlays`` the files that change the bundle. Raises
    Cancelled when ``wanted`` says no, which is asked between two pieces of an asset.
    """
    from bundlevisor.actors.ports.remembered import of_running
    from bundlevisor.manifest.read import load

    loaded = load.read(manifest_path, overlays=overlays)
    manifest = loaded.readable
    if manifest is None:
        return loaded.findings
    site = _site(manifest, bundle_root, app_data)
    found = _of_places(manifest, site) + _of_files(manifest, site, full, wanted)
    given = of_running(site.app_data) if ports is None else ports
    found += _of_ports(manifest, given) + _of_secrets(manifest)
    return _merged(loaded.findings, loaded.placed(loaded.certain(found)))


def _site(manifest: Manifest, bundle_root: str, app_data: str) -> BundleSite:
    from bundlevisor.actors.launch.spec import BundleSite
    from bundlevisor.manifest.format.paths import app_data_folder

    return BundleSite(
        bundle_root=os.path.abspath(bundle_root),
        app_data=os.path.abspath(app_data or app_data_folder(manifest.app.name, os.environ)),
        environment=dict(os.environ),
        instance_id="",
        secrets={secret.id: secret for secret in manifest.secrets},
    )


def _of_places(manifest: Manifest, site: BundleSite) -> Findings:
    from bundlevisor.actors.launch.places import look as look_at_places
    from bundlevisor.manifest.format.platform import minds_case

    return look_at_places(manifest, site.app_data, site.bundle_root, minds_case=minds_case())


def _of_files(manifest: Manifest, site: BundleSite, full: bool, wanted: Wanted) -> Findings:
    from bundlevisor.actors.launch.inputs import StartInputs
    from bundlevisor.actors.launch.page import is_page
    from bundlevisor.actors.launch.spec import LaunchSpec
    from bundlevisor.actors.logs.path import log_path
    from bundlevisor.actors.prepare.verified_assets import peek
    from bundlevisor.actors.validation.inspection import Subject, inspect
    from bundlevisor.actors.validation.working_folders import unmade
    from bundlevisor.manifest.format.paths import PathRefused
    from bundlevisor.manifest.format.platform import current_key, pick_binary
    from bundlevisor.manifest.plan.ports import demands

    lowest: dict[str, dict[str, int]] = {}  # stand for the ports that a start would give out
    for demand in demands(manifest):
        lowest.setdefault(demand.service, {})[demand.name] = demand.low
    key, known = current_key(), peek(site.app_data)
    subjects = []
    for index, service in enumerate(manifest.services):
        chosen = pick_binary(service, key)[0]
        try:
            page = is_page(service, chosen, site.bundle_root)
            log = log_path(service, site.app_data)
        except PathRefused:
            continue  # the manifest's own rules have said so
        spec = LaunchSpec(service, chosen, site, log, index=index, page=page)
        subjects.append(Subject(spec, StartInputs(lowest), key))
    found = [inspect(subject, known, full=full, wanted=wanted) for subject in subjects]
    return joined([*found, unmade(subjects)])


def _of_ports(manifest: Manifest, given: Ports | None) -> Findings:
    """Report requests that cannot be met even where all is free, and warn of those that cannot now.

    Ports that the instance holds count as free.
    """
    from bundlevisor.actors.ports.reservations import is_taken
    from bundlevisor.manifest.plan.ports import choose, demands, reserved_of

    held = {(id_, name): n for id_, named in (given or {}).items() for name, n in named.items()}
    ours = frozenset(held.values())
    given_out = partial(
        choose,
        [demand for demand in demands(manifest) if demand.low <= demand.high],  # that is said
        reserved=reserved_of(manifest),
        control_port=manifest.ipc.port,
    )
    never = given_out(is_free=lambda _: True)
    now = given_out(is_free=lambda port: port in ours or not is_taken(port), remembered=held)
    known = {finding.path for finding in never.failures}
    warnings = tuple(finding for finding in now.failures if finding.path not in known)
    return Findings(service_errors=never.failures, warnings=warnings)


def _of_secrets(manifest: Manifest) -> Findings:
    """Warn of secrets whose generator does not make what their own format asks for, by a sample."""
    from bundlevisor.actors.secrets.format_match import matches
    from bundlevisor.manifest.format.pattern import why_refused
    from bundlevisor.manifest.plan.secrets import generate

    warnings = tuple(
        Finding(
            "generated_format",
            f"secrets[{index}].generator",
            f"secret '{secret.id}': what is generated for it does not have its format"
            f" {secret.format}; give the generator another type, length or charset.",
        )
        for index, secret in enumerate(manifest.secrets)
        if secret.class_ == "per_install_generated" and secret.format
        if not why_refused(secret.format)  # that is said already
        if not matches(secret.format, generate(secret.generator, os.urandom))
    )
    return Findings(warnings=warnings)


def _merged(first: Findings, second: Findings) -> Findings:
    """Return both; what the manifest's own rules have said of a place is not said twice."""
    known = {_place(one) for part in _parts(first) for one in part}
    return first + Findings(
        *(tuple(one for one in part if _place(one) not in known) for part in _parts(second))
    )


def _parts(findings: Findings) -> tuple[tuple[Finding, ...], ...]:
    return findings.errors, findings.service_errors, findings.warnings


def _place(finding: Finding) -> tuple[str, str, str]:
    return finding.code, finding.file, finding.path
