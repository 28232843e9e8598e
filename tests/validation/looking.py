"""Bundles that are looked at, and what was found, in short."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bundlevisor.actors.validation import bundle as validate
from bundlevisor.manifest.format.findings import Finding, Findings
from tests.bundle_maker import Bundle, bundle


def look(made: Bundle, **options: Any) -> Findings:
    return look_again(made.write(), **options)


def look_again(made: Bundle, **options: Any) -> Findings:
    return validate.look(str(made.path), str(made.root), str(made.app_data), **options)


def codes(found: Iterable[Finding]) -> list[tuple[str, str]]:
    return [(one.code, one.service) for one in found]


def one_service(folder: Path, program: str = "well_behaved", **fields: Any) -> Bundle:
    return bundle(folder).service("api", program, **fields)


def runnable(made: Bundle, path: str, content: bytes) -> Bundle:
    made.file(path, content).write()
    (made.root / path).chmod(0o755)
    return made
