"""The served folder: from names to files that really lie in it."""

from __future__ import annotations

import errno
import math
import os
import stat
import sys
import time
from functools import lru_cache

import msgspec

from bundlevisor.actors.ui_server.files import open_beneath
from bundlevisor.actors.ui_server.files.preconditions import Validators
from bundlevisor.actors.ui_server.files.recent import SETTLED, RecentFiles
from bundlevisor.actors.ui_server.files.url_path import is_servable, spellings

NEIGHBOURS = (("br", ".br"), ("gzip", ".gz"))
"""Content codings with the suffix of the pre-compressed file, the better one first."""


SUFFIXES = tuple(suffix for _, suffix in NEIGHBOURS)

LACKING = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""What the system says where it has no descriptor to look for a file by."""

Identity = tuple[int, int, int, int]
"""What another content of a file would have otherwise: times of change, number, and size."""


class ReplacedError(Exception):
    """The file is not the one that was found a moment ago: look for it anew."""


class Representation(msgspec.Struct, frozen=True):
    """One file to send: the asked one itself, or its pre-compressed neighbour.

    ``names`` lead to it from ``root``, with no link between.
    """

    root: str
    names: tuple[str, ...]
    identity: Identity
    validators: Validators
    encoding: str
    recent: RecentFiles
    """Where its content may be by now."""
    beside: open_beneath.Statuses | None = None
    """What was seen of its neighbours; None: nobody has looked."""

    @property
    def key(self) -> tuple[tuple[str, ...], Identity]:
        """By which its content is kept: another one has another."""
        return self.names, self.identity

    @property
    def changed(self) -> float:
        """When it was changed last; Windows does not tell of every change, so never long ago."""
        return math.inf if sys.platform == "win32" else max(self.identity[:2]) / 1e9

    @property
    def may_be_unfinished(self) -> bool:
        """Whether it was changed just now: it may be half of what somebody is writing."""
        return max(self.identity[:2]) / 1e9 > time.time() - SETTLED

    @property
    def name(self) -> str:
        """The name of the file alone."""
        return self.names[-1]

    @property
    def size(self) -> int:
        """Bytes in it."""
        return self.identity[-1]

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
            return _identity(status) == self.identity


class Site:
    """A folder, its links resolved; nothing outside of it is ever opened."""

    def __init__(self, root: str, index: str) -> None:
        self._root = os.path.realpath(root)
        self._prefix = os.path.normcase(os.path.join(self._root, ""))
        self.index = index
        self._recent = RecentFiles()

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
        try:
            there = whole.beside or open_beneath.statuses(self._root, whole.names, SUFFIXES)
        except OSError:
            return found
        for (coding, suffix), status in zip(NEIGHBOURS, there, strict=True):
            if status is None:
                continue
            names = (*whole.names[:-1], whole.name + suffix)
            if (neighbour := self._representation(names, coding)) is not None:
                found[coding] = neighbour
        return found

    def _representation(self, names: tuple[str, ...], coding: str = "") -> Representation | None:
        """Only regular files: a named pipe would block whoever opens it. OSError in ``LACKING``."""
        try:
            if open_beneath.NAMES_ARE_REAL:
                suffixes = ("",) if coding else ("", *SUFFIXES)
                status, *beside = open_beneath.statuses(self._root, names, suffixes)
                if status is None:
                    return None
                if stat.S_ISREG(status.st_mode):
                    return self._represent(names, status, coding, beside)
        except (OSError, ValueError) as error:
            _refuse_lack(error)  # else a link may be on the way
        real = self._inside(os.path.join(self._root, *names))
        if real is None:
            return None
        try:
            status = open_beneath.status(self._root, real)
        except (OSError, ValueError) as error:
            _refuse_lack(error)
            return None
        return self._represent(real, status, coding) if stat.S_ISREG(status.st_mode) else None

    def _represent(
        self,
        names: tuple[str, ...],
        status: os.stat_result,
        coding: str,
        beside: open_beneath.Statuses | None = None,
    ) -> Representation:
        identity = _identity(status)
        validators = _validators(identity, coding)
        return Representation(self._root, names, identity, validators, coding, self._recent, beside)

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


def _refuse_lack(error: Exception) -> None:
    """Raise what says nothing about a file."""
    if isinstance(error, OSError) and error.errno in LACKING:
        raise error


def _identity(status: os.stat_result) -> Identity:
    return status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_size


@lru_cache(maxsize=512)
def _validators(identity: Identity, coding: str) -> Validators:
    """A strong ETag without reading the file.

    The time of modification alone would not do: reproducible builds give the same one to every
    version of a file. The change time is the system's and cannot be set; Windows has none here,
    but another file's number when a file is replaced.
    """
    etag = "-".join(f"{part:x}" for part in identity) + (f"-{coding}" if coding else "")
    return Validators(f'"{etag}"', identity[0] // 1_000_000_000)
