"""Files on Windows, which refuses to rename, read and remove one while somebody has it open.

A virus scanner, an indexer or a backup does so at any moment, and lets go within milliseconds.
"""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Callable
from typing import TypeVar

assert sys.platform == "win32"  # noqa: S101 - tells the type checker where this file belongs

T = TypeVar("T")

PAUSES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
"""Seconds between the tries: under half a second in all."""


def replace(source: str, target: str) -> None:
    """Rename over ``target``; tried again for up to 0.4 s while one of them is open elsewhere."""
    _patiently(lambda: os.replace(source, target))


def read(path: str) -> bytes:
    """Return what is in a file; tried again for up to 0.4 s while it is not to be shared."""
    return _patiently(lambda: _read(path))


def remove_tree(path: str) -> None:
    """Remove a folder and all that is in it, what is marked read-only too."""
    _patiently(lambda: _remove_tree(path))


def _patiently(act: Callable[[], T]) -> T:
    for pause in PAUSES:
        try:
            return act()
        except PermissionError:
            time.sleep(pause)
    return act()


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _remove_tree(path: str) -> None:
    import shutil

    for folder, inner, files in os.walk(path):
        inner[:] = [name for name in inner if not _leads_elsewhere(os.path.join(folder, name))]
        for name in (*inner, *files):
            _make_writable(os.path.join(folder, name))
    shutil.rmtree(path)


def _leads_elsewhere(path: str) -> bool:
    """Whether a folder is a link or a junction: what it leads to is not ours to change."""
    return bool(os.lstat(path).st_file_attributes & stat.FILE_ATTRIBUTE_REPARSE_POINT)


def _make_writable(path: str) -> None:
    if os.lstat(path).st_file_attributes & stat.FILE_ATTRIBUTE_READONLY:
        os.chmod(path, stat.S_IWRITE)


def sync_folder(folder: str) -> None:
    """NTFS journals its folders, and a folder cannot be opened to be synced."""
