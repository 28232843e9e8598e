"""Copies of data that lie on another file system than the data."""

from __future__ import annotations

import errno
import os

import pytest

from bundlevisor.actors.prepare import data_snapshot


def put_copies_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no copy moved, as if they lay on another file system."""
    replace = os.replace

    def refused(source: str, target: str) -> None:
        if f"{os.sep}snapshots{os.sep}" in source:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), source)
        replace(source, target)

    monkeypatch.setattr(data_snapshot, "replace", refused)
