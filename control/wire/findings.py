"""Findings in the API's shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import UNSET

from bundlevisor.control.wire.bodies import (
    InvalidChecksum,
    MissingAsset,
    MissingBinary,
    Problem,
    Validation,
)

if TYPE_CHECKING:
    from bundlevisor.actors.prepare.cancelled import Wanted
    from bundlevisor.manifest.format.findings import Finding, Findings

    Ports = Mapping[str, Mapping[str, int]]


def report(
    manifest_path: str,
    bundle_root: str,
    app_data: str,
    *,
    full: bool,
    ports: Ports,
    overlays: Sequence[str],
    wanted: Wanted,
) -> Validation:
    """Return everything that is wrong with the bundle of a running instance; raises Cancelled."""
    from bundlevisor.actors.validation.bundle import look

    found = look(
        manifest_path,
        bundle_root,
        app_data,
        full=full,
        ports=ports,
        overlays=overlays,
        wanted=wanted,
    )
    return shown(found)


def shown(findings: Findings) -> Validation:
    """Return findings as ``/validate`` shows them; what fails only its service is an error too."""
    from bundlevisor.actors.prepare.assets import AssetMissing
    from bundlevisor.actors.validation.inspection import BinaryMissing
    from bundlevisor.manifest.plan.assets import SumMismatch

    errors = findings.errors + findings.service_errors
    return Validation(
        valid=not errors,
        errors=tuple(_problem(finding) for finding in errors),
        warnings=tuple(_problem(finding) for finding in findings.warnings),
        missing_binaries=tuple(
            MissingBinary(service_id=one.service, platform=one.platform, path=one.binary)
            for one in errors
            if isinstance(one, BinaryMissing)
        ),
        missing_assets=tuple(
            MissingAsset(service_id=one.service, path=one.asset)
            for one in errors
            if isinstance(one, AssetMissing)
        ),
        invalid_checksums=tuple(
            InvalidChecksum(
                service_id=one.service, path=one.asset, expected=one.expected, actual=one.actual
            )
            for one in errors
            if isinstance(one, SumMismatch)
        ),
    )


def _problem(finding: Finding) -> Problem:
    return Problem(
        code=finding.code,
        service=finding.service or UNSET,
        file=finding.file or UNSET,
        path=finding.path or UNSET,
        message=finding.message,
    )
