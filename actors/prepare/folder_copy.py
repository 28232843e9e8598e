"""Copying whole folders, so that they are on disk, and removing them.

Files are cloned where the file system can (copy on write), else copied; never hard links, because
databases write in place.
"""

from __future__ import annotations

import itertools
import os
import stat
import sys
from collections.abc import Collection
from contextlib import suppress

from bundlevisor.actors.files import atomic, own_file
from bundlevisor.actors.prepare.cancelled import Cancelled, Wanted, always

if sys.platform == "win32":
    from bundlevisor.actors.files.files_windows import remove_tree, sync_folder
else:
    from bundlevisor.actors.files.files_posix import remove_tree, sync_folder

FICLONE = 0x40049409
"""ioctl_ficlone(2)."""
PIECE = 1024 * 1024
"""Bytes of a file that are copied before it is asked whether that is still wanted."""
SYNC_EVERY = 32
"""Pieces: nothing ends the process while it waits for all that a disk has not written yet."""


def size(folder: str) -> int:
    """Return the bytes of all files in a folder."""
    total = 0
    for path, _, files in os.walk(folder):
        for name in files:
            total += os.lstat(os.path.join(path, name)).st_size
    return total


def copy(source: str, target: str, without: Collection[str] = (), wanted: Wanted = always) -> None:
    """Copy a folder, to be on disk, but for what is special, and these paths in it.

    OSError leaves nothing of it: the disk may be full, and others write there too. Cancelled, when
    ``wanted`` says no before a piece, leaves what there is: to remove it takes its time as well.
    Until it is whole it is for the user alone (0700), whatever the umask: modes come last.
    """

    def copy_file(one: str, its_target: str) -> str:
        if not wanted():
            raise Cancelled(one)
        return _copy_file(one, its_target, wanted)

    def ignored(folder: str, names: list[str]) -> set[str]:
        own_file.make_folder(f"{target}{folder.removeprefix(source)}")
        return _special(folder, names) | {n for n in names if os.path.join(folder, n) in without}

    from shutil import copytree  # it brings every compression with it, and most starts copy nothing

    try:
        copytree(
            source,
            target,
            symlinks=True,
            ignore=ignored,
            copy_function=copy_file,
            dirs_exist_ok=True,
        )
        have_on_disk(target, wanted)
    except OSError:
        remove(target)
        raise


def remove(path: str) -> None:
    """Remove a file, a link, or a folder with all that is in it; none is no error."""
    if os.path.islink(path) or os.path.isfile(path):
        own_file.remove(path)
    elif os.path.isdir(path):
        remove_tree(path)


def have_on_disk(folder: str, wanted: Wanted = always, since: float = 0.0) -> None:
    """Have on disk what was changed in a folder; what cannot be opened is left to the system.

    ``since`` is in seconds since the epoch: what is older has been written long ago.
    Raises OSError where the disk did not take it, of which a write may have said nothing yet. On
    macOS the drive empties its own memory once, at the end: for each file it would be 20 ms.
    """
    for path, _, files in os.walk(folder):
        for name in files:
            file = os.path.join(path, name)
            if not wanted():
                raise Cancelled(file)
            _have_file_on_disk(file, since)
        with suppress(FileNotFoundError):  # data that somebody else works with
            if _last_change(os.lstat(path)) >= since:
                sync_folder(path, flush=False)
    if os.path.isdir(folder):
        sync_folder(folder)


def _have_file_on_disk(file: str, since: float) -> None:
    try:
        found = os.lstat(file)
        if not stat.S_ISREG(found.st_mode) or _last_change(found) < since:
            return
        fd = os.open(file, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(fd)
    except OSError as error:
        error.filename = file
        raise
    finally:
        os.close(fd)


def _last_change(found: os.stat_result) -> float:
    return max(found.st_mtime, found.st_ctime)  # a file may be given an older time than it has


def _special(folder: str, names: list[str]) -> set[str]:
    """Return what is neither file, folder nor link: sockets and pipes mean nothing in a copy."""
    modes = {name: os.lstat(os.path.join(folder, name)).st_mode for name in names}
    kinds = (stat.S_ISREG, stat.S_ISDIR, stat.S_ISLNK)
    return {name for name, mode in modes.items() if not any(kind(mode) for kind in kinds)}


def _copy_file(source: str, target: str, wanted: Wanted) -> str:
    from shutil import copystat

    if not _make_and_clone(source, target):
        _copy_bytes(source, target, wanted)
    copystat(source, target, follow_symlinks=False)
    return target


def _copy_bytes(source: str, target: str, wanted: Wanted) -> None:
    with open(source, "rb", 0) as reader, open(target, "wb", 0) as writer:
        for number in itertools.count(1):
            if not wanted():
                raise Cancelled(source)
            piece = reader.read(PIECE)
            if not piece:
                return
            atomic.write_all(writer.fileno(), piece)
            if number % SYNC_EVERY == 0:
                os.fsync(writer.fileno())


if sys.platform == "linux":

    def _make_and_clone(source: str, target: str) -> bool:
        """Share the file's blocks until one side writes (btrfs, xfs); False where that is not.

        The new file is there in any case, for the user alone.
        """
        import fcntl

        with open(source, "rb") as reader, open(own_file.make(target), "wb") as writer:
            try:
                fcntl.ioctl(writer.fileno(), FICLONE, reader.fileno())
            except OSError:
                return False
        return True

elif sys.platform == "darwin":

    def _make_and_clone(source: str, target: str) -> bool:
        """Share the file's blocks until one side writes (APFS, clonefile(2))."""
        import ctypes

        libc = ctypes.CDLL(None)
        if libc.clonefile(os.fsencode(source), os.fsencode(target), 1) == 0:
            return True
        os.close(own_file.make(target))
        return False

else:

    def _make_and_clone(source: str, target: str) -> bool:  # noqa: ARG001 - shares no blocks
        os.close(own_file.make(target))
        return False
