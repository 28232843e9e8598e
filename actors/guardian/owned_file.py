"""Files that must not outlive the runtime: token, port, secrets, the instance record."""

from __future__ import annotations

import errno
import os
from contextlib import suppress

from bundlevisor.actors.files import own_file

Identity = tuple[int, int, int]
"""Device, inode and time of the last change (ns): another file under the same path differs."""
WHATEVER: Identity = (0, 0, 0)
"""In place of one where the path alone says that it is ours; the file may not be there yet."""
UNREADABLE = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO, errno.ESTALE)
"""Of a file that is there, and of which nobody can tell whose it is."""


class OwnedFile:
    """A file that is removed when the runtime has died, if it is still the runtime's.

    With ``containing`` it is the runtime's as long as it contains these bytes (for a file that is
    rewritten all the time), else as long as its identity is the one it had when it was announced,
    or WHATEVER; that may also be of an empty folder.
    With ``last`` it is removed only after the services are gone; then one that nobody can read is
    taken for the runtime's, for it may hold a secret, and to remove it takes no descriptor.
    """

    __slots__ = ("containing", "identity", "last", "path")

    def __init__(self, path: str, identity: Identity | None, containing: bytes, last: bool) -> None:
        self.path = path
        self.identity = identity
        self.containing = containing
        self.last = last

    def remove(self) -> bool:
        """Remove the file if it is still the runtime's; False when it is not, or cannot be."""
        try:
            if self.identity == WHATEVER:
                _unlink(self.path)
                return True
            return self._is_ours(self.path) and self._take_away()
        except OSError:
            return False

    def _take_away(self) -> bool:
        """Remove it under a name of our own: a successor may be writing it anew at this moment."""
        aside = own_file.name_beside(self.path)
        own_file.replace(self.path, aside)
        ours = self._is_ours(aside)
        if not ours:
            with suppress(FileExistsError):  # one that is newer still
                os.link(aside, self.path)
        own_file.remove(aside)
        return ours

    def _is_ours(self, path: str) -> bool:
        if not self.containing:
            return self.identity is not None and identity(path) == self.identity
        try:
            return self.containing in own_file.read(path, follow=False)
        except OSError as error:
            return self.last and error.errno in UNREADABLE


def identity(path: str) -> Identity | None:
    """Return what tells this file from another under its path; None when there is none."""
    try:
        stat = os.stat(path, follow_symlinks=False)
    except OSError:
        return None
    return stat.st_dev, stat.st_ino, stat.st_mtime_ns


def _unlink(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        os.rmdir(path)
    else:
        own_file.remove(path)
