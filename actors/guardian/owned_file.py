"""Files that must not outlive the runtime: token, port, secrets, the instance record."""

from __future__ import annotations

import os

from bundlevisor.actors.files import own_file

Identity = tuple[int, int, int]
"""Device, inode and time of the last change (ns): another file under the same path differs."""


class OwnedFile:
    """A file that is removed when the runtime has died, if it is still the runtime's.

    With ``containing`` it is the runtime's as long as it contains these bytes (for a file that is
    rewritten all the time), else as long as its identity is the one it had when it was announced.
    With ``last`` it is removed only after the services are gone.
    """

    __slots__ = ("containing", "identity", "last", "path")

    def __init__(self, path: str, identity: Identity | None, containing: bytes, last: bool) -> None:
        self.path = path
        self.identity = identity
        self.containing = containing
        self.last = last

    def fields(self) -> tuple[object, ...]:
        """Return what :meth:`__init__` takes, in its order."""
        return (self.path, self.identity, self.containing, self.last)

    def remove(self) -> bool:
        """Remove the file if it is still the runtime's; False when it is not, or cannot be."""
        try:
            if not self._ours():
                return False
            os.unlink(self.path)
        except OSError:
            return False
        return True

    def _ours(self) -> bool:
        if not self.containing:
            return self.identity is not None and identity(self.path) == self.identity
        return self.containing in own_file.read(self.path, follow=False)


def identity(path: str) -> Identity | None:
    """Return what tells this file from another under its path; None when there is none."""
    try:
        stat = os.stat(path, follow_symlinks=False)
    except OSError:
        return None
    return stat.st_dev, stat.st_ino, stat.st_mtime_ns
