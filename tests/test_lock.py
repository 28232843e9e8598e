"""The lock file names everything that the project asks for, each at exactly one version."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements-dev.txt"


def normal(name: str) -> str:
    """Return a distribution's name as the package index compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked() -> list[tuple[str, str]]:
    lines = [line.partition(";")[0].strip() for line in LOCK.read_text().splitlines()]
    pins = [line.partition("==") for line in lines if line and not line.startswith("#")]
    return [(normal(name), version) for name, _, version in pins]


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {normal(re.split(r"[<>=~;\[ ]", wish)[0]) for wish in asked}
    assert names - {name for name, _ in locked()} == set()


def test_every_lock_is_one_exact_version() -> None:
    names = [name for name, _ in locked()]
    assert len(names) == len(set(names))
    assert [name for name, version in locked() if not re.fullmatch(r"[\w.]+", version)] == []
