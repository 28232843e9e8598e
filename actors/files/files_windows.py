"""Files on Windows, which refuses to rename, read or remove a file while somebody has it open.

A virus scanner, an indexer or a backup may open any file at any moment, and closes it within
milliseconds. What is opened by :func:`open_file` can be renamed and removed all the same.
"""

from __future__ import annotations

import _winapi
import errno
import msvcrt
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
IN_USE = (errno.EACCES, errno.EPERM, errno.ENOTEMPTY)
"""A folder is not empty as long as somebody has a file open that was removed from it."""

FILE_SHARE_ALL = 0x7
"""Others may read, write, and remove or rename: os.open leaves the last out. From winnt.h."""
OPEN_EXISTING = 3
NAME_SURROGATE = 0x20000000
"""Bit of a reparse point's tag: it stands for another file. From ntifs.h."""


def replace(source: str, target: str) -> None:
    """Rename over ``target``; tried again for up to 0.4 s while one of them is open elsewhere."""
    _patiently(lambda: os.replace(source, target))


def displace(source: str, target: str, aside: str) -> None:
    """Rename over a ``target`` that is of no more use, which readers of ours may have open.

    It is renamed to ``aside`` first, and removed when the last of them has closed it. Nothing is
    waited for: OSError when somebody else has one of them open, or a folder is in the way, and all
    is as it was.
    """
    try:
        os.replace(source, target)
    except PermissionError:
        if os.path.isdir(target):
            raise
        os.rename(target, aside)
        try:
            os.rename(source, target)
        except OSError:
            os.rename(aside, target)
            raise
        os.unlink(aside)


def remove(path: str) -> None:
    """Remove a file; tried again for up to 0.4 s while it is open elsewhere. OSError."""
    _patiently(lambda: os.unlink(path))


def make_file(path: str, flags: int, mode: int) -> int:
    """Return a descriptor of a new file; who may use it is what its folder says. OSError."""
    return os.open(path, flags | os.O_BINARY, mode)


def make_folder(path: str, mode: int) -> None:
    """Make one folder. OSError."""
    os.mkdir(path, mode)


def open_file(path: str, flags: int, *, follow: bool) -> int:
    """Open a file; to read it, for up to 0.4 s tried again while it is not to be shared.

    To write it is tried once: a log must not hold up the others. OSError for a link or a junction,
    unless ``follow``: also for one that came in between.
    """

    def opened() -> int:
        if flags & (os.O_WRONLY | os.O_RDWR):
            return os.open(path, flags | os.O_BINARY)
        return _patiently(lambda: open_shared(path))

    if follow:
        return opened()
    _refuse_link(path)
    descriptor = opened()
    try:
        _refuse_link(path)
        if not os.path.samestat(os.fstat(descriptor), os.stat(path)):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def open_shared(path: str) -> int:
    """Return a descriptor to read by, of what others may go on to write, rename and remove."""
    try:
        handle = _winapi.CreateFile(
            path, _winapi.GENERIC_READ, FILE_SHARE_ALL, 0, OPEN_EXISTING, 0, 0
        )
    except OSError as error:
        error.filename = path
        raise
    return msvcrt.open_osfhandle(handle, os.O_RDONLY | os.O_BINARY | os.O_NOINHERIT)


def _refuse_link(path: str) -> None:
    if os.path.lexists(path) and _leads_elsewhere(path):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)


def distrust(folder: str) -> tuple[str, str]:  # noqa: ARG001 - the same interface everywhere
    """Nothing is refused or doubted: app-data inherits the profile's access list, which gives it
    to the user, the system and administrators."""
    return "", ""


def remove_tree(path: str) -> None:
    """Remove a folder and all that is in it, what is marked read-only too."""
    _patiently(lambda: _remove_tree(path))


def _patiently(act: Callable[[], T]) -> T:
    for pause in PAUSES:
        try:
            return act()
        except OSError as error:
            if error.errno not in IN_USE:
                raise
            time.sleep(pause)
    return act()


def _remove_tree(path: str) -> None:
    import shutil

    for folder, inner, files in os.walk(path):
        inner[:] = [name for name in inner if not _leads_elsewhere(os.path.join(folder, name))]
        for name in (*inner, *files):
            _make_writable(os.path.join(folder, name))
    shutil.rmtree(path)


def _leads_elsewhere(path: str) -> bool:
    """Whether it is a link or a junction: what it leads to is not ours to change.

    What OneDrive has synchronised, or a server deduplicated, is a reparse point too, and stands
    for itself.
    """
    return bool(os.lstat(path).st_reparse_tag & NAME_SURROGATE)


def _make_writable(path: str) -> None:
    if os.lstat(path).st_file_attributes & stat.FILE_ATTRIBUTE_READONLY:
        os.chmod(path, stat.S_IWRITE)


def sync(fd: int) -> None:
    """Make what was written outlive a power cut (FlushFileBuffers). OSError."""
    os.fsync(fd)


def sync_folder(folder: str, *, flush: bool = True) -> None:
    """NTFS journals its folders, and a folder cannot be opened to be synced."""
