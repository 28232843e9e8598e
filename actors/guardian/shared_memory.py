"""Memory that two processes can map, as a descriptor that is inherited or passed on."""

from __future__ import annotations

import os
import sys


def shared_memory(name: str, size: int) -> int:
    """Return a descriptor (not inheritable) of so many zeros that two processes can map."""
    if sys.platform == "linux":
        fd = os.memfd_create(name)
    else:
        fd = _unlinked_file(name)
    os.ftruncate(fd, size)
    return fd


def _unlinked_file(kind: str) -> int:
    name = f"{kind}-{os.getpid()}-{os.urandom(6).hex()}"
    path = os.path.join(os.environ.get("TMPDIR", "/tmp"), name)  # noqa: S108 - O_EXCL, unlinked
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    os.unlink(path)
    return fd
