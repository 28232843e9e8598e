"""What a set of files and folders looks like now, by time, size and number: polled.

Polling needs no package and no handle per folder, and sees the same on every platform, also on
network drives and in shared folders, where inotify and its like hear nothing. A thousand files cost
some milliseconds; the pauses grow with what a look has cost (:data:`SHARE`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from bundlevisor.manifest.format.paths import within

Look = dict[str, tuple[int, int, int]]
"""Time of change in ns, size and inode of each file, by its path."""

PAUSE = 0.25
"""Seconds between two looks, at least."""
SHARE = 20
"""A look takes at most this part of the time: after one of 50 ms a second passes."""
MOST = 50_000
"""How many files of one folder are looked at; one with more is no folder of sources."""
IGNORED = frozenset(
    (
        *("node_modules", ".git", ".hg", ".svn", ".jj", "__pycache__", ".venv", "venv", ".tox"),
        *(".mypy_cache", ".pytest_cache", ".ruff_cache", ".idea", ".vscode", ".DS_Store"),
    )
)
"""Files and folders of tools, wherever they lie."""
IGNORED_ENDS = ("~", ".pyc", ".pyo", ".swp", ".swx", ".tmp", ".log")


class TooMany(Exception):
    """A folder has more files than can be looked at."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        super().__init__(folder)


def look(paths: Iterable[str], app_data: str) -> Look:
    """Return what is there of files and folders; what belongs to tools or app-data is left out.

    Links to folders are not followed. A path that is named itself is looked at whatever its name.
    Raises TooMany.
    """
    found: Look = {}
    for path in paths:
        if os.path.isdir(path):
            _folder(path, found, lambda one: within(one, app_data))
        elif (seen := _file(path)) is not None:
            found[path] = seen
    return found


def changed(before: Look, after: Look) -> tuple[str, ...]:
    """Return the files that differ, are new, or are gone, in order."""
    return tuple(sorted(p for p in before.keys() | after.keys() if before.get(p) != after.get(p)))


def _folder(top: str, found: Look, skipped: Callable[[str], bool]) -> None:
    pending, before = [top], len(found)
    while pending:
        folder = pending.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError:
            continue
        for entry in entries:
            if entry.name in IGNORED or entry.name.endswith(IGNORED_ENDS):
                continue
            if skipped(entry.path) or entry.name.startswith(".#"):  # Emacs' locks
                continue
            if entry.is_dir():
                pending += [] if entry.is_symlink() else [entry.path]
            elif (seen := _file(entry.path)) is not None:
                found[entry.path] = seen
        if len(found) - before > MOST:
            raise TooMany(top)


def _file(path: str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
