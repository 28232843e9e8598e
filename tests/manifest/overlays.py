"""Bundles with overlays, for the tests of both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bundlevisor.manifest.format.findings import Findings
from bundlevisor.manifest.read import load
from bundlevisor.manifest.read.load import Loaded
from bundlevisor.manifest.read.overlay import merge
from tests.bundle_maker import bundle

Written = dict[str, Any]


def read(folder: Path, *overlays: Written | str) -> Loaded:
    made = (
        bundle(folder)
        .service("db", env={"A": "1", "B": "2"})
        .service("api", deps=["db"], ports={"http": {}, "admin": {}})
        .service("web", deps=["api"])
        .write()
    )
    paths = []
    for number, overlay in enumerate(overlays):
        path = folder / "bundle" / f"dev{number}.json"
        path.write_text(overlay if isinstance(overlay, str) else json.dumps(overlay))
        paths.append(str(path))
    return load.read(str(made.path), overlays=paths)


def manifest(folder: Path, *overlays: Written) -> Any:
    loaded = read(folder, *overlays)
    assert loaded.findings.errors == ()
    return loaded.manifest


def merged(folder: Path, source: bytes, overlay: Any) -> Any:
    """What one overlay makes of a bundle, before anybody reads it."""
    path = folder / "dev.json"
    path.write_text(json.dumps(overlay))
    made = merge(str(folder / "bundle.json"), source, [str(path)])
    assert made.findings == Findings()
    return json.loads(made.source)
