"""What is wrong with a bundle, with or without a running instance, in the API's shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from control.bodies import Problem, Validation

if TYPE_CHECKING:
    from manifest.findings import Finding, Findings


def look(manifest_path: str, bundle_root: str) -> Findings:  # noqa: ARG001 - for file checks
    """Return everything that is wrong with a bundle."""
    from manifest import load

    return load.read(manifest_path).findings


def report(manifest_path: str, bundle_root: str) -> Validation:
    """Return everything that is wrong with a bundle, as ``/validate`` shows it."""
    return shown(look(manifest_path, bundle_root))


def shown(findings: Findings) -> Validation:
    """Return findings as ``/validate`` shows them; what fails only its service is an error too."""
    errors = findings.errors + findings.service_errors
    return Validation(
        valid=not errors,
        errors=tuple(_problem(finding) for finding in errors),
        warnings=tuple(_problem(finding) for finding in findings.warnings),
    )


def _problem(finding: Finding) -> Problem:
    return Problem(
        code=finding.code,
        service=finding.service or UNSET,
        path=finding.path or UNSET,
        message=finding.message,
    )
