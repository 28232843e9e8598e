"""Files on POSIX: rename(2) is atomic, and durable once its folder is synced."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

assert sys.platform != "win32"  # noqa: S101 - tells the type checker where this file belongs


def replace(source: str, target: str) -> None:
    """Rename over ``target``, atomically."""
    os.replace(source, target)


def open_file(path: str, flags: int, mode: int, *, follow: bool) -> int:
    """Open without waiting for a pipe's other end; OSError for a link, unless ``follow``."""
    plain = os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    return os.open(path, flags | plain | (0 if follow else os.O_NOFOLLOW), mode)


def remove_tree(path: str) -> None:
    """Remove a folder and all that is in it."""
    import shutil

    shutil.rmtree(path)


def sync_folder(folder: str) -> None:
    """Make a rename outlive a power cut; file systems that cannot sync a folder are left alone."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(fd)
    finally:
        os.close(fd)
