"""Files on POSIX: rename(2) is atomic, and durable once its folder is synced."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress

assert sys.platform != "win32"  # noqa: S101 - tells the type checker where this file belongs


def replace(source: str, target: str) -> None:
    """Rename over ``target``, atomically."""
    os.replace(source, target)


def displace(source: str, target: str, aside: str) -> None:  # noqa: ARG001
    """Rename over ``target``, whoever reads it."""
    os.replace(source, target)


def remove(path: str) -> None:
    """Remove a file, whoever has it open. OSError."""
    os.unlink(path)


def open_file(path: str, flags: int, *, follow: bool) -> int:
    """Open without waiting for a pipe's other end; OSError for a link, unless ``follow``."""
    plain = os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    return os.open(path, flags | plain | (0 if follow else os.O_NOFOLLOW))


def make_file(path: str, flags: int, mode: int) -> int:
    """Return a descriptor of a new file, with what the umask has taken of its mode. OSError."""
    fd = os.open(path, flags | os.O_CLOEXEC, mode)
    try:
        lacking = mode & ~os.fstat(fd).st_mode
        if lacking:
            os.fchmod(fd, mode)
    except OSError:
        os.close(fd)
        raise
    return fd


def make_folder(path: str, mode: int) -> None:
    """Make one folder, with what the umask has taken of its mode. OSError."""
    os.mkdir(path, mode)
    found = os.stat(path).st_mode
    if mode & ~found:
        os.chmod(path, stat.S_IMODE(found) | mode)


def distrust(folder: str) -> tuple[str, str]:
    """Return why a folder must not be used, and what is doubtful about it; empty when it is ours.

    Whoever owns a folder, or may write in it, can put files of his own in the place of those in
    it. As ssh does for its keys, one of another user is refused, unless that is root; where we are
    root, and may have been told to work for that user, it is only doubtful.
    """
    found, ours = os.stat(folder), os.geteuid()
    warnings = []
    if found.st_uid not in (0, ours):
        sentence = (
            f"{folder} belongs to another user (uid {found.st_uid}), who can replace every file"
            " in it; use a folder of your own."
        )
        if ours != 0:
            return sentence, ""
        warnings.append(sentence)
    if found.st_mode & 0o022:
        warnings.append(
            f"{folder} can be written by others (mode {found.st_mode & 0o7777:04o}), who can"
            " replace every file in it; take that away by 'chmod go-w'."
        )
    elif above := _open_above(os.path.realpath(folder)):
        warnings.append(
            f"{above} can be written by everybody, who can put another folder in the place of"
            f" {folder}; use a folder elsewhere, or 'chmod o-w'."
        )
    return "", " ".join(warnings)


def _open_above(folder: str) -> str:
    """Return the folder above in which everybody can rename what is not his; empty without one."""
    while (above := os.path.dirname(folder)) != folder:
        mode = os.stat(above).st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            return above
        folder = above
    return ""


def remove_tree(path: str) -> None:
    """Remove a folder and all that is in it, also from folders that are read-only."""
    import shutil

    try:
        shutil.rmtree(path)
    except PermissionError:
        os.chmod(path, stat.S_IRWXU)
        for folder, inner, _ in os.walk(path):
            for name in inner:
                one = os.path.join(folder, name)
                if not os.path.islink(one):
                    os.chmod(one, stat.S_IRWXU)
        shutil.rmtree(path)


if sys.platform == "darwin":

    def sync(fd: int) -> None:
        """Make what was written outlive a power cut, as far as the file system can. OSError.

        fsync(2) of macOS leaves it in the drive's own memory: F_FULLFSYNC (fcntl(2)) does not.
        """
        import fcntl

        try:
            fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
        except OSError:  # a share, or a file system that does not know it
            os.fsync(fd)

else:

    def sync(fd: int) -> None:
        """Make what was written outlive a power cut. OSError."""
        os.fsync(fd)


def sync_folder(folder: str, *, flush: bool = True) -> None:
    """Make a rename outlive a power cut; file systems that cannot sync a folder are left alone.

    Without ``flush`` it may stay in the drive's own memory until the next that is synced with it.
    """
    fd = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            (sync if flush else os.fsync)(fd)
    finally:
        os.close(fd)
