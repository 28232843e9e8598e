"""The one place where files of ours are opened, without trusting what lies in their place.

Opening never waits, as it would for a pipe. A file that is written to must have one name and must
not be a link: otherwise whoever can make a file in app-data, or has restored it from a backup with
hard links, could have us write into a file elsewhere, or truncate it. Files that are replaced as a
whole are written by :mod:`bundlevisor.actors.files.atomic`, which follows no link.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import suppress

if sys.platform == "win32":
    from bundlevisor.actors.files import files_windows as files
else:
    from bundlevisor.actors.files import files_posix as files

remove = files.remove
replace = files.replace

LARGEST = 64 * 1024 * 1024
"""Bytes of a state file that are read; the largest one of a real bundle has a few hundred KiB."""

LINK = "it is a link"
SECOND_NAME = "it has a second name (a hard link)"
FOLDER = "it is a folder"
NO_FOLDER = "it is no folder"
NOWHERE = "it is a link that leads nowhere"
SPECIAL = "it is a pipe, a socket or a device"
TOO_LARGE = "it is too large to be ours"
NEW = ".new"
UNIQUE_BYTES = 6

_CODES = {
    LINK: errno.ELOOP,
    SECOND_NAME: errno.EMLINK,
    FOLDER: errno.EISDIR,
    SPECIAL: errno.ENXIO,
    TOO_LARGE: errno.EFBIG,
}


class Unfit(OSError):
    """Something else stands in the place of a file; ``strerror`` says what."""

    def __init__(self, reason: str, path: str) -> None:
        super().__init__(_CODES[reason], reason, path)


def open_to_read(path: str, *, follow: bool = True) -> int:
    """Return a descriptor of a regular file; raises Unfit and other OSErrors, never waits.

    ``follow`` False refuses a link.
    """
    return _open(path, os.O_RDONLY, follow=follow)


def name_beside(path: str) -> str:
    """Return a new name in the same folder, ``.NAME.<12 hexadecimal digits>.new``.

    What is left there by who was killed is removed by ``atomic.remove_half_written``.
    """
    folder, name = os.path.split(os.path.abspath(path))
    return os.path.join(folder, f".{name}.{os.urandom(UNIQUE_BYTES).hex()}{NEW}")


def displace(source: str, target: str) -> None:
    """Rename over a file that is of no more use, and may be read at this moment. OSError."""
    files.displace(source, target, name_beside(target))


def make_folder(path: str) -> None:
    """Make the folder and its missing parents, each for the user alone (0700).

    Raises NotADirectoryError for what is in the way of one, and other OSErrors.
    """
    if os.path.isdir(path):
        return
    parent = os.path.dirname(os.path.abspath(path))
    if parent != path:
        make_folder(parent)
    try:
        files.make_folder(path, 0o700)
    except FileExistsError:
        try:
            if stat.S_ISDIR(os.stat(path).st_mode):
                return
        except (FileNotFoundError, NotADirectoryError):
            raise NotADirectoryError(errno.ENOTDIR, NOWHERE, path) from None
        raise NotADirectoryError(errno.ENOTDIR, NO_FOLDER, path) from None


def open_to_append(path: str) -> int:
    """Return a descriptor to append by; the file (0600) and its folders (0700) are made if need be.

    Raises Unfit for a link, a file with a second name and what is no regular file, and other
    OSErrors. Nothing has been changed then.
    """
    return _alone(_open_or_make(path, os.O_WRONLY | os.O_APPEND), path)


def make(path: str, flags: int = os.O_RDWR, mode: int = 0o600) -> int:
    """Return a descriptor of a new file with this mode, whatever the umask; raises OSErrors."""
    return files.make_file(path, flags | os.O_CREAT | os.O_EXCL, mode)


def open_to_change(path: str) -> int:
    """Return a descriptor to read and write by; otherwise as :func:`open_to_append`."""
    return _alone(_open_or_make(path, os.O_RDWR), path)


def read(path: str, limit: int = LARGEST, *, follow: bool = True) -> bytes:
    """Return what is in a file; raises Unfit, also over ``limit`` bytes, and other OSErrors."""
    descriptor = open_to_read(path, follow=follow)
    try:
        data = read_up_to(descriptor, limit + 1)
    finally:
        os.close(descriptor)
    if len(data) > limit:
        raise Unfit(TOO_LARGE, path)
    return data


def read_up_to(descriptor: int, count: int) -> bytes:
    """Return at most ``count`` bytes from where the descriptor stands."""
    chunks: list[bytes] = []
    while count > 0 and (chunk := os.read(descriptor, min(count, 1 << 20))):
        chunks.append(chunk)
        count -= len(chunk)
    return b"".join(chunks)


def error_text(error: OSError) -> str:
    """Return ``<file>: <what is wrong>``; of a rename or a copy, the name that was wanted."""
    first = error.args[0] if error.args else None
    if isinstance(first, list) and first and isinstance(first[0], tuple) and len(first[0]) == 3:
        _, target, reason = first[0]  # shutil.Error: one for each file that was not copied
        return str(reason) if str(target) in str(reason) else f"{target}: {reason}"
    name = error.filename2 or error.filename
    return f"{name}: {error.strerror}" if name and error.strerror else str(error)


def _open(path: str, flags: int, *, follow: bool) -> int:
    try:
        descriptor = files.open_file(path, flags, follow=follow)
    except OSError as error:
        raise (_named(path, follow=follow) or error) from None
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return descriptor
    os.close(descriptor)
    raise Unfit(FOLDER if stat.S_ISDIR(mode) else SPECIAL, path)


def _open_or_make(path: str, flags: int) -> int:
    """Whoever is first makes the folder: a guardian may be, if the runtime died early."""
    while True:
        with suppress(FileNotFoundError):
            return _open(path, flags, follow=False)
        try:
            return make(path, flags)
        except FileExistsError:
            pass  # somebody else was quicker
        except FileNotFoundError:
            make_folder(os.path.dirname(os.path.abspath(path)))


def _named(path: str, *, follow: bool) -> Unfit | None:
    """Say what stands there, where the system's own words for it would be a riddle."""
    try:
        mode = (os.stat if follow else os.lstat)(path).st_mode
    except OSError:
        return None
    if stat.S_ISREG(mode):
        return None
    if stat.S_ISDIR(mode):
        return Unfit(FOLDER, path)
    return Unfit(LINK if stat.S_ISLNK(mode) else SPECIAL, path)


def _alone(descriptor: int, path: str) -> int:
    if os.fstat(descriptor).st_nlink > 1:
        os.close(descriptor)
        raise Unfit(SECOND_NAME, path)
    return descriptor
