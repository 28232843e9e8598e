"""The codes of what was found in a bundle."""

from __future__ import annotations

from bundlevisor.manifest.read.load import Loaded


def codes(loaded: Loaded) -> list[str]:
    return [finding.code for finding in loaded.findings.errors]
