"""Small bundles as Python values, and readers of findings."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bundlevisor.manifest.format.findings import Findings
from bundlevisor.manifest.format.header import header
from bundlevisor.manifest.format.schema import Manifest
from bundlevisor.manifest.read.load import Loaded, parse

Document = dict[str, Any]
Bundle = Callable[..., Document]


def document(*services: Any, **top: Any) -> Document:
    """Return a bundle: services as dicts, the top level by keyword."""
    complete = [
        {"binaries": {"linux-x64": {"path": "bin/x"}}, **service}
        if isinstance(service, dict)
        else service
        for service in services or ({"id": "one"},)
    ]
    return {
        **header("app", "1", 47710),
        "telemetry": {"file": "telemetry.jsonl"},
        "services": complete,
        **top,
    }


@pytest.fixture
def bundle() -> Bundle:
    """A maker of documents; see :func:`document`."""
    return document


@pytest.fixture
def read_document() -> Callable[..., Loaded]:
    """A reader of documents as the linux-x64 runtime reads them."""

    def read(document: Document, platform: str = "linux-x64") -> Loaded:
        return parse(json.dumps(document).encode(), platform)

    return read


@pytest.fixture
def manifest_of(bundle: Bundle, read_document: Callable[..., Loaded]) -> Callable[..., Manifest]:
    """A maker of checked manifests."""

    def make(*services: Document, **top: Any) -> Manifest:
        loaded = read_document(bundle(*services, **top))
        assert loaded.manifest is not None, loaded.findings.errors
        return loaded.manifest

    return make


@pytest.fixture
def picker() -> bytes:
    """A bundle with a bit of everything, as packaging tools write it."""
    return (Path(__file__).parent / "bundles" / "picker.json").read_bytes()


def everything(findings: Findings) -> list[tuple[str, str, str]]:
    """Return all findings as (severity, code, path)."""
    parts = {
        "error": findings.errors,
        "service": findings.service_errors,
        "warning": findings.warnings,
    }
    return [
        (severity, finding.code, finding.path)
        for severity, found in parts.items()
        for finding in found
    ]


@pytest.fixture
def found(bundle: Bundle, read_document: Callable[..., Loaded]) -> Callable[..., Any]:
    """What is found in a bundle of these services and this top level: (severity, code, path)."""

    def find(*services: Document, platform: str = "linux-x64", **top: Any) -> Any:
        return everything(read_document(bundle(*services, **top), platform).findings)

    return find
