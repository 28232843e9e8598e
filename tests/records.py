"""The records that the programs in ``tests/programs`` leave: what a service itself saw."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read_records(path: Path) -> list[dict[str, Any]]:
    """Return the records of a file, oldest first; none when nothing was recorded.

    A last line without its newline is still being written and is left out.
    """
    if not path.exists():
        return []
    whole, _, _ = path.read_text(encoding="utf-8").rpartition("\n")
    return [json.loads(line) for line in whole.splitlines()]


def events(records: list[dict[str, Any]], event: str) -> list[dict[str, Any]]:
    """Return the records of one kind."""
    return [record for record in records if record["event"] == event]
