"""The served folder: from names to files that really lie in it."""

from __future__ import annotations

import os
import stat

import msgspec

from actors.ui_server.names import is_servable, spellings
from actors.ui_server.preconditions import Validators

NEIGHBOURS = (("br", ".br"), ("gzip", ".gz"))
"""Content codings with the suffix of the pre-compressed file, the better one first."""


class Representation(msgspec.Struct, frozen=True):
    """One file to send: the asked one itself, or its pre-compressed neighbour."""

    path: str
    size: int
    validators: Validators
    encoding: str = ""


class Site:
    """A folder, its links resolved; nothing outside of it is ever opened."""

    def __init__(self, root: str, index: str) -> None:
        self._root = os.path.realpath(root)
        self._prefix = os.path.normcase(os.path.join(self._root, ""))
        self.index = index

    def find(self, names: tuple[str, ...]) -> Representation | None:
        """Return a regular file as it is; None when there is none, or it lies outside.

        A last empty name asks for a folder: its ``index.html`` (the root's own index) is meant.
        """
        if not names:
            names = (self.index,)
        elif not names[-1]:
            names = (*names[:-1], "index.html")
        for spelt in spellings(names):
            path = self._inside(os.path.join(self._root, *spelt))
            if path is not None and (status := _stat(path)) is not None:
                return Representation(path, status.st_size, _validators(status))
        return None

    def has_folder(self, names: tuple[str, ...]) -> bool:
        """Whether the names are those of a folder that has an ``index.html``."""
        return self.find((*names, "")) is not None

    def compressed(self, path: str) -> dict[str, Representation]:
        """The pre-compressed neighbours by content coding, in our order of preference."""
        found: dict[str, Representation] = {}
        for coding, suffix in NEIGHBOURS:
            status = _stat(path + suffix)
            if status is not None and (inside := self._inside(path + suffix)) is not None:
                validators = _validators(status, coding)
                found[coding] = Representation(inside, status.st_size, validators, coding)
        return found

    def _inside(self, path: str) -> str | None:
        """Resolve links (and short names on Windows); None when that leads out, or to hidden."""
        try:
            real = os.path.realpath(path, strict=True)
        except (OSError, ValueError):
            return None
        if not os.path.normcase(real).startswith(self._prefix):
            return None
        names = real[len(self._prefix) :].split(os.sep)
        return real if all(map(is_servable, names)) else None


def _stat(path: str) -> os.stat_result | None:
    """Only regular files: a named pipe would block whoever opens it."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def _validators(status: os.stat_result, coding: str = "") -> Validators:
    """A strong ETag without reading the file.

    The time of modification alone would not do: reproducible builds give the same one to every
    version of a file. The change time is the system's and cannot be set; Windows has none here,
    but another file's number when a file is replaced.
    """
    parts = (status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_size)
    etag = "-".join(f"{part:x}" for part in parts) + (f"-{coding}" if coding else "")
    return Validators(f'"{etag}"', int(status.st_mtime))
