"""Ports that are free now, in a block that no other test process is likely to take."""

from __future__ import annotations

import errno
import os
import random
import socket

QUIET = range(20000, 30000)
"""Below every platform's ephemeral range: no outgoing connection takes one by chance."""
FAMILIES = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
TRIES = 100

_starts: dict[int, list[int]] = {}


def free_block(size: int) -> int:
    """Return the first of ``size`` consecutive ports that can all be bound now.

    Each call in a process begins with another block, and each process elsewhere, so that what runs
    side by side does not meet. Raises OSError when there is none.
    """
    starts = _starts.setdefault(size, shuffled(size))
    for _ in range(TRIES):
        starts.append(start := starts.pop(0))
        if all(is_free(port) for port in range(start, start + size)):
            return start
    raise OSError(errno.EADDRINUSE, f"no {size} free ports in a row in {QUIET}")


def shuffled(size: int) -> list[int]:
    """Return where blocks of this size begin, in an order of this process's own."""
    starts = list(range(QUIET.start, QUIET.stop - size, size))
    random.Random(os.getpid()).shuffle(starts)  # noqa: S311 - not a secret
    return starts


def is_free(port: int) -> bool:
    """Return whether a port can be bound on both loopback addresses."""
    return all(can_bind(family, host, port) for family, host in FAMILIES)


def can_bind(family: int, host: str, port: int) -> bool:
    """Return whether an address can be bound; one that the machine has not is nobody's."""
    try:
        with socket.socket(family) as sock:
            if os.name == "posix":
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((host, port))
    except OSError as error:
        return error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
    return True
