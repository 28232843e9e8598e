"""The manifest of the notes example is whole: the runtime has nothing to say against it."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from bundlevisor.manifest.read.load import read
from tests.examples.notes_by_hand import NOTES

EPHEMERAL_FROM = 32768  # Linux; 49152 on macOS and Windows


def document() -> Any:
    return json.loads((NOTES / "bundle.json").read_text(encoding="utf-8"))


def test_the_manifest_has_no_finding() -> None:
    loaded = read(str(NOTES / "bundle.json"))
    assert (loaded.findings.errors, loaded.findings.warnings) == ((), ())


@pytest.mark.parametrize(
    "asset", [a for s in document()["services"] for a in s.get("assets", []) if "sha256" in a]
)
def test_the_checksums_are_those_of_the_page(asset: dict[str, str]) -> None:
    content = (NOTES / asset["path"]).read_bytes()
    assert asset["sha256"] == hashlib.sha256(content).hexdigest(), (
        "put the new one into bundle.json"
    )


def test_every_program_exists_and_may_be_run() -> None:
    for service in document()["services"]:
        for key, binary in service["binaries"].items():
            path = NOTES / binary["path"]
            assert path.exists(), f"{service['id']}: {key}"
            assert path.is_dir() or path.suffix == ".cmd" or is_executable(path), path


def is_executable(path: Path) -> bool:
    return os.name == "nt" or os.access(path, os.X_OK)


def test_its_ports_lie_below_what_outbound_connections_take() -> None:
    bundle = document()
    ranges = [bundle["ports"]["default_range"]] + [
        port["range"]
        for s in bundle["services"]
        for port in s.get("ports", {"requested": []})["requested"]
    ]
    assert len(ranges) == 4
    assert all(r["max"] < EPHEMERAL_FROM for r in ranges)
