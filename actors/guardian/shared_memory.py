"""Memory that two processes can map, as a descriptor that is inherited or passed on."""

from __future__ import annotations

import os
import sys

TEMPORARY = (os.environ.get("TMPDIR", "/tmp"), "/tmp")  # noqa: S108 - O_EXCL, unlinked


def shared_memory(name: str, size: int) -> int:
    """Return a descriptor (not inheritable) of so many zeros that two processes can map."""
    fd = _memory(name)
    os.ftruncate(fd, size)
    return fd


if sys.platform == "linux":

    def _memory(name: str) -> int:
        try:
            return os.memfd_create(name)
        except (AttributeError, OSError):  # built for an older libc, or a sandbox forbids it
            return _unlinked_file(name, "/dev/shm", *TEMPORARY)  # noqa: S108 - as below

else:

    def _memory(name: str) -> int:
        return _unlinked_file(name, *TEMPORARY)


def _unlinked_file(kind: str, folder: str, *others: str) -> int:
    """Make it in this folder, or in the first of the others that allows it."""
    path = os.path.join(folder, f"{kind}-{os.getpid()}-{os.urandom(6).hex()}")
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError:
        if not others:
            raise
        return _unlinked_file(kind, *others)
    os.unlink(path)
    return fd
