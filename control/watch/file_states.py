"""What a set of files and folders looks like now, by time, size and number: polled.

Polling needs no package and no handle per folder, and sees the same on every platform, also on
network drives and in shared folders, where inotify and its like hear nothing. A thousand files cost
some milliseconds; the pauses grow with what a look has cost (:data:`SHARE`).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable

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


def look(paths: Iterable[str], app_data: str, before: Look | None = None) -> Look:
    """Return what is there of files and folders; what belongs to tools or app-data is left out.

    Links to folders are not followed. A path that is named itself is looked at whatever its name.
    What is there and cannot be looked at (no descriptor, a network drive that is away) is as it was
    ``before``. Raises TooMany.
    """
    looking = _Looking(app_data, before or {})
    for path in paths:
        looking.at(path)
    return looking.found


def changed(before: Look, after: Look) -> tuple[str, ...]:
    """Return the files that differ, are new, or are gone, in order."""
    return tuple(sorted(p for p in before.keys() | after.keys() if before.get(p) != after.get(p)))


class _Looking:
    """One look at all."""

    def __init__(self, app_data: str, before: Look) -> None:
        self.found: Look = {}
        self._app_data = app_data
        self._before = before

    def at(self, path: str) -> None:
        """Add a file, or all of a folder."""
        if (status := self._status(path)) is None:
            return
        if stat.S_ISDIR(status.st_mode):
            self._folder(path)
        else:
            self._add(path, status)

    def _folder(self, top: str) -> None:
        pending, before = [top], len(self.found)
        while pending:
            folder = pending.pop()
            try:
                entries = [
                    (one.name, one.path, one.is_dir(follow_symlinks=False))
                    for one in os.scandir(folder)
                ]
            except OSError as error:
                self._unseen(folder, error)
                continue
            for name, path, is_folder in entries:
                if _is_ignored(name) or within(path, self._app_data):
                    continue
                if is_folder:
                    pending.append(path)
                elif (status := self._status(path)) and not stat.S_ISDIR(status.st_mode):
                    self._add(path, status)
            if len(self.found) - before > MOST:
                raise TooMany(top)

    def _add(self, path: str, status: os.stat_result) -> None:
        self.found[path] = status.st_mtime_ns, status.st_size, status.st_ino

    def _status(self, path: str) -> os.stat_result | None:
        try:
            return os.stat(path)
        except (OSError, ValueError) as error:
            self._unseen(path, error)
            return None

    def _unseen(self, path: str, error: Exception) -> None:
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            known = self._before.items()
            self.found |= {one: seen for one, seen in known if within(one, path)}


def _is_ignored(name: str) -> bool:
    return name in IGNORED or name.endswith(IGNORED_ENDS) or name.startswith(".#")  # Emacs' locks
