"""The served folder: from names to files that really lie in it."""

from __future__ import annotations

import os
import stat
import sys

import msgspec

from bundlevisor.actors.ui_server.files import open_beneath
from bundlevisor.actors.ui_server.files.preconditions import Validators
from bundlevisor.actors.ui_server.files.url_path import is_servable, spellings

NEIGHBOURS = (("br", ".br"), ("gzip", ".gz"))
"""Content codings with the suffix of the pre-compressed file, the better one first."""


class ReplacedError(Exception):
    """The file is not the one that was found a moment ago: look for it anew."""


class Representation(msgspec.Struct, frozen=True):
    """One file to send: the asked one itself, or its pre-compressed neighbour.

    ``names`` lead to it from ``root``, with no link between.
    """

    root: str
    names: tuple[str, ...]
    size: int
    validators: Validators
    encoding: str = ""

    @property
    def name(self) -> str:
        """The name of the file alone."""
        return self.names[-1]

    def open(self) -> int:
        """Open exactly this file; FileNotFoundError, PermissionError, ReplacedError."""
        descriptor = open_beneath.opened(self.root, self.names)
        if not self._is(os.fstat(descriptor)):
            os.close(descriptor)
            raise ReplacedError
        return descriptor

    def _is(self, status: os.stat_result) -> bool:
        if sys.platform == "win32":  # where an open file cannot be replaced
            return status.st_size == self.size
        else:  # noqa: RET505 - or mypy calls it unreachable on Windows
            return _validators(status, self.encoding) == self.validators


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
            if (found := self._representation(spelt)) is not None:
                return found
        return None

    def has_folder(self, names: tuple[str, ...]) -> bool:
        """Whether the names are those of a folder that has an ``index.html``."""
        return self.find((*names, "")) is not None

    def compressed(self, whole: Representation) -> dict[str, Representation]:
        """The pre-compressed neighbours by content coding, in our order of preference."""
        found: dict[str, Representation] = {}
        for coding, suffix in NEIGHBOURS:
            names = (*whole.names[:-1], whole.name + suffix)
            there = os.path.lexists(os.path.join(self._root, *names))
            if there and (neighbour := self._representation(names, coding)) is not None:
                found[coding] = neighbour
        return found

    def _representation(self, names: tuple[str, ...], coding: str = "") -> Representation | None:
        """Only regular files: a named pipe would block whoever opens it."""
        real = self._inside(os.path.join(self._root, *names))
        if real is None:
            return None
        try:
            status = open_beneath.status(self._root, real)
        except (OSError, ValueError):
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        return Representation(self._root, real, status.st_size, _validators(status, coding), coding)

    def _inside(self, path: str) -> tuple[str, ...] | None:
        """Resolve links (and short names on Windows); None when that leads out, or to hidden."""
        try:
            real = os.path.realpath(path, strict=True)
        except (OSError, ValueError):
            return None
        if not os.path.normcase(real).startswith(self._prefix):
            return None
        names = real[len(self._prefix) :].split(os.sep)
        return tuple(names) if all(map(is_servable, names)) else None


def _validators(status: os.stat_result, coding: str = "") -> Validators:
    """A strong ETag without reading the file.

    The time of modification alone would not do: reproducible builds give the same one to every
    version of a file. The change time is the system's and cannot be set; Windows has none here,
    but another file's number when a file is replaced.
    """
    parts = (status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_size)
    etag = "-".join(f"{part:x}" for part in parts) + (f"-{coding}" if coding else "")
    return Validators(f'"{etag}"', int(status.st_mtime))
