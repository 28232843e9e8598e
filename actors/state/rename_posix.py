"""Renaming on POSIX: atomic by rename(2), durable once the folder is synced."""

from __future__ import annotations

import os
from contextlib import suppress


def replace(source: str, target: str) -> None:
    """Rename over ``target``, atomically."""
    os.replace(source, target)


def sync_folder(folder: str) -> None:
    """Make a rename outlive a power cut; file systems that cannot sync a folder are left alone."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(fd)
    finally:
        os.close(fd)
