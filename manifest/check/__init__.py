"""Every rule that concerns more than one field of a bundle."""

from __future__ import annotations

from bundlevisor.manifest.check import (
    dependencies,
    header,
    names,
    places,
    ports,
    preparation,
    probes,
    secrets,
    services,
    texts,
)
from bundlevisor.manifest.check.view import View
from bundlevisor.manifest.format.findings import Findings, Report
from bundlevisor.manifest.format.platform import current_key
from bundlevisor.manifest.format.schema import Manifest

_RULES = (
    header.check,
    secrets.check,
    services.check,
    places.check,
    names.check,
    dependencies.check,
    ports.check,
    probes.check,
    preparation.check,
    texts.check,
)


def check(manifest: Manifest, platform_key: str | None = None) -> Findings:
    """Return everything that is wrong with a decoded bundle on a platform (default: this one)."""
    view = View.of(manifest, platform_key or current_key())
    report = Report()
    for rule in _RULES:
        rule(view, report)
    return report.findings()
