"""A disk without room, for one file: Linux's /dev/full is opened in its place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bundlevisor.actors.files import own_file

FULL = b"no room"


def fill(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let whoever opens the file to append meet a full disk, until the file is removed."""
    path.write_bytes(FULL)
    usual = own_file.open_to_append

    def open_to_append(name: str) -> int:
        if name == str(path) and path.exists() and path.read_bytes() == FULL:
            return os.open("/dev/full", os.O_WRONLY)
        return usual(name)

    monkeypatch.setattr(own_file, "open_to_append", open_to_append)
