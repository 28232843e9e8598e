"""A service's data before an upgrade: ``<app-data>/snapshots/<service>/``, put back if it fails.

``snapshot.json`` is written last and the copies are on disk by then, so a snapshot is there as a
whole or not at all, also after a power cut; as long as it is there, the data may be half migrated
and is put back before anything else is tried. A copy is moved to its place, by way of a name beside
it, and what was there is kept until all are placed: so one that somebody has removed is told apart
from one that was moved. It says which migrations had been run, so that record and data stay
together.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Collection, Iterable
from contextlib import AbstractContextManager, nullcontext

import msgspec

from bundlevisor.actors.files import atomic, json_text, own_file
from bundlevisor.actors.prepare import folder_copy
from bundlevisor.actors.prepare.cancelled import Wanted, always
from bundlevisor.actors.process.children import SHORTAGES
from bundlevisor.manifest.format.app_data import (
    BROKEN,
    OF_A_LOG,
    RESTORING,
    SNAPSHOTS,
    TIMES,
    below,
)
from bundlevisor.manifest.format.paths import part_below, within

if sys.platform == "win32":
    from bundlevisor.actors.files.files_windows import replace, sync_folder
else:
    from bundlevisor.actors.files.files_posix import replace, sync_folder

FILE = "snapshot.json"
PLACED = "placed"
"""Is there, and empty, once every folder has been put back, and only what was there is left."""
UNKNOWN = (
    "so it is not known whether an upgrade came to its end: put it right, or remove its folder to"
    " go on with the data as it is"
)


class Taken(msgspec.Struct, frozen=True):
    """A complete snapshot: ``folders`` are the absolute data folders, those that existed."""

    folders: tuple[str, ...]
    applied: tuple[str, ...]
    """The migrations that had been run when it was taken."""
    app_version: str
    """Whose data it is, for who reads the file; 0.2.0 takes none without it."""
    upgraded: bool = False
    """All migrations came after it; it is only kept until the service has been ready."""
    app_data: str = ""
    """Where the folders lie; empty in what 0.2.0 wrote."""


class TooLarge(Exception):
    """The data is larger than the bound; the message says by how much."""


class DataSnapshots:
    """The snapshots of one app-data. Copies whole folders: for worker threads, not for actors."""

    def __init__(self, app_data: str) -> None:
        self._app_data = app_data
        self._root = below(app_data, SNAPSHOTS)

    def find(self, service_id: str) -> Taken | None:
        """Return the snapshot of a service, if there is one; OSError where that is not known.

        Its folders are those of this app-data, which may have been moved or copied since.
        """
        file = self._file(service_id)
        try:
            return atomic.read_or_fail(file, self._parse)
        except OSError as error:
            if error.errno in SHORTAGES:  # which says nothing of it
                raise
            raise OSError(error.errno, f"{error.strerror}, {UNKNOWN}", file) from None

    def take(
        self,
        service_id: str,
        taken: Taken,
        max_bytes: int,
        without: Collection[str] = (),
        wanted: Wanted = always,
    ) -> None:
        """Make a snapshot of ``taken.folders`` but for these files; TooLarge or OSError leaves none
        behind, and Cancelled none that counts.
        """
        size = sum(folder_copy.size(folder) for folder in taken.folders)
        if size > max_bytes:
            raise TooLarge(f"{size} bytes of data are over the bound of {max_bytes} bytes")
        self.drop(service_id)
        try:
            for place, folder in enumerate(taken.folders):
                folder_copy.copy(folder, self._copy_of(service_id, place), without, wanted)
            atomic.write(self._file(service_id), json_text.encode_kept(taken))
        except OSError:
            self.drop(service_id)
            raise

    def upgraded(self, service_id: str) -> None:
        """Say that the upgrade came to its end; none is no error."""
        taken = self.find(service_id)
        if taken is not None and not taken.upgraded:
            done = msgspec.structs.replace(taken, upgraded=True)
            atomic.write(self._file(service_id), json_text.encode_kept(done))

    def put_back(
        self,
        service_id: str,
        taken: Taken,
        logs: Iterable[str] = (),
        closed: Callable[[], AbstractContextManager[None]] = nullcontext,
        wanted: Wanted = always,
    ) -> None:
        """Make the data folders what they were; may be repeated after a crash, or after Cancelled.
        Raises OSError.

        ``logs`` within them stay as they are: they say why, and are being written; they come back
        out of what a crash has left unfinished. ``closed`` keeps their files closed for a moment:
        Windows renames no folder with an open file in it.
        """
        placed = os.path.join(self._root, service_id, PLACED)
        if not os.path.lexists(placed):
            for place, folder in enumerate(taken.folders):
                inside = [os.path.relpath(log, folder) for log in logs if within(log, folder)]
                _place(self._copy_of(service_id, place), folder, inside, closed, wanted)
            os.close(own_file.make(placed))
            sync_folder(os.path.dirname(placed))
        for folder in taken.folders:
            folder_copy.remove(f"{folder}{BROKEN}")

    def drop(self, service_id: str) -> None:
        """Delete the snapshot; none is no error."""
        if os.path.lexists(self._file(service_id)):
            own_file.remove(self._file(service_id))
        folder_copy.remove(os.path.join(self._root, service_id))

    def _parse(self, data: bytes) -> Taken:
        taken = json_text.decode_kept(data, Taken)
        here = self._app_data if taken.app_data else ""
        folders = tuple(self._here(folder, taken.app_data) for folder in taken.folders)
        return msgspec.structs.replace(taken, folders=folders, app_data=here)

    def _here(self, folder: str, app_data: str) -> str:
        """Return where a folder of that app-data lies in this one; ValueError for none of it."""
        if app_data and within(folder, app_data):
            folder = os.path.join(self._app_data, part_below(folder, app_data))
        if not within(os.path.realpath(folder), os.path.realpath(self._app_data)):
            raise ValueError(f"it tells of {folder}, which is not in this app-data folder")
        return folder

    def _file(self, service_id: str) -> str:
        return os.path.join(self._root, service_id, FILE)

    def _copy_of(self, service_id: str, place: int) -> str:
        return os.path.join(self._root, service_id, str(place))


def _place(
    copy: str,
    folder: str,
    logs: Collection[str],
    closed: Callable[[], AbstractContextManager[None]],
    wanted: Wanted,
) -> None:
    """Have a copy in the place of its folder, and what was there, or an empty folder, beside it."""
    fresh, broken = f"{folder}{RESTORING}", f"{folder}{BROKEN}"
    if os.path.lexists(fresh):
        with closed():
            _move_logs(logs, fresh, folder)
    if os.path.lexists(copy):
        folder_copy.remove(fresh)
        _bring(copy, fresh, _parts(logs, copy), wanted)
    if os.path.lexists(fresh):
        if os.path.lexists(folder):
            folder_copy.remove(broken)
        with closed():
            if os.path.lexists(folder):
                _move_logs(logs, folder, fresh)
                replace(folder, broken)
            elif not os.path.lexists(broken):
                own_file.make_folder(broken)
            replace(fresh, folder)
        sync_folder(os.path.dirname(folder))
    elif not (os.path.lexists(folder) and os.path.lexists(broken)):
        reason = f"the copy of {folder} has been removed: put it there again, or remove"
        also = f"{os.path.dirname(copy)} to go on with the data as it is"
        raise FileNotFoundError(errno.ENOENT, f"{reason} {also}", copy)


def _parts(logs: Iterable[str], folder: str) -> list[str]:
    """Return the paths of logs in a folder, with their older parts and when these were written."""
    found: list[str] = []
    for log in logs:
        home, name = os.path.split(os.path.join(folder, log))
        found += [
            os.path.join(home, one)
            for one in (os.listdir(home) if os.path.isdir(home) else ())
            if one.startswith(name) and one[len(name) :] in OF_A_LOG
        ]
    return found


def _bring(copy: str, fresh: str, without: Iterable[str], wanted: Wanted) -> None:
    """Have a copy beside the data, but for these paths in it.

    Moved, for what was to be upgraded may have filled the disk; copied where that cannot be, as to
    another file system.
    """
    for part in without:
        own_file.remove(part)
    try:
        replace(copy, fresh)
    except OSError:
        folder_copy.copy(copy, fresh, (), wanted)


def _move_logs(logs: Iterable[str], source: str, target: str) -> None:
    """Move them with their older parts; what is there already was written later, and comes behind.

    It is what a guardian has saved of a runtime that was killed between two moves. Of its times
    nothing is kept: they tell of places in a file of its own.
    """
    for part in _parts(logs, source):
        moved = os.path.join(target, os.path.relpath(part, source))
        own_file.make_folder(os.path.dirname(moved))
        if os.path.isfile(moved) and not moved.endswith(TIMES):
            from shutil import copyfileobj

            with open(part, "ab") as older, open(moved, "rb") as newer:
                copyfileobj(newer, older)
        replace(part, moved)
