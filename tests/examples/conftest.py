"""Fixtures of the tests of the examples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.examples.notes_by_hand import NotesServices, notes_services


@pytest.fixture
def home(tmp_path: Path) -> Iterator[NotesServices]:
    """Services of the notes bundle with an empty, migrated database."""
    with notes_services(tmp_path) as kept:
        done = kept.migrate()
        assert done.returncode == 0, done.stderr
        yield kept
