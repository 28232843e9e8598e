"""Ports for tests: free ones, in a block that no other test process takes at the same time."""

from __future__ import annotations

import errno
import itertools
import os
import random
import socket

QUIET = range(20000, 30000)
"""Below every platform's ephemeral range: no outgoing connection takes one by chance."""
FAMILIES = (
    (socket.AF_INET, "127.0.0.1"),
    *([(socket.AF_INET6, "::1")] if socket.has_ipv6 else []),
)


def free_block(size: int) -> int:
    """Return the first of ``size`` consecutive ports that can all be bound now.

    Where it begins is drawn by process, so that tests side by side do not meet.
    """
    starts = list(range(QUIET.start, QUIET.stop - size, size))
    random.Random(os.getpid()).shuffle(starts)
    for start in itertools.islice(starts, 100):
        if all(is_free(port) for port in range(start, start + size)):
            return start
    raise AssertionError(f"no {size} free ports in a row in {QUIET}")


def is_free(port: int) -> bool:
    """Return whether a port can be bound on every loopback address there is."""
    return all(can_bind(family, host, port) for family, host in FAMILIES)


def can_bind(family: int, host: str, port: int) -> bool:
    """Return whether this address can be bound; one that the machine has not counts as free."""
    with socket.socket(family) as sock:
        if os.name == "posix":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, port))
        except OSError as error:
            return error.errno == errno.EADDRNOTAVAIL
    return True
