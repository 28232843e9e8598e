"""A file of events, what its writer reports, and what has come into it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "telemetry" / "deployment.jsonl"


@pytest.fixture
def reports() -> list[str]:
    return []


def lines(path: Path) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
