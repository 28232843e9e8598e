"""Ports that are free now, in a block that no other test process is given."""

from __future__ import annotations

import atexit
import errno
import os
import random
import socket
import weakref

from bundlevisor.manifest.plan.ports import REFUSED_BY_BROWSERS

QUIET = range(10000, 30000)
"""Below every platform's ephemeral range: no outgoing connection takes one by chance."""
GRAIN = 40
"""Blocks begin and end at multiples of it."""
KEPT = 3
"""How many blocks of a size a process keeps, and gives out in turn."""
ADDRESSES = (
    (socket.AF_INET, "127.0.0.1"),
    (socket.AF_INET6, "::1"),
    (socket.AF_INET, "0.0.0.0"),  # whoever has the port on another address of this machine
    (socket.AF_INET6, "::"),
)

_kept: dict[int, list[int]] = {}
_lent: set[int] = set()
_reservations: list[socket.socket] = []


@atexit.register
def give_back() -> None:
    """Let others have what this process has reserved."""
    while _reservations:
        _reservations.pop().close()


def free_block(size: int, borrower: object = None) -> int:
    """Return the first of ``size`` consecutive ports that can all be bound now.

    Browsers refuse none of them. The block stays this process's own: others that use this function
    are given other ones, so that what runs side by side does not meet. Calls in one process are
    given KEPT blocks in turn, but for those whose ``borrower`` is still there. Raises OSError when
    there is none.
    """
    start = _found_block(size)
    if borrower is not None:
        _lent.add(start)
        weakref.finalize(borrower, _lent.discard, start)
    return start


def _found_block(size: int) -> int:
    kept = _kept.setdefault(size, [])
    for start in tuple(kept) if len(kept) >= KEPT else ():
        kept.append(kept.pop(0))
        if start not in _lent and is_all_free(start, size):
            return start
    for start in starts(size):
        if is_all_free(start, size) and reserve(start, size):
            kept.append(start)
            return start
    for start in kept:  # of so many borrowers some share
        if is_all_free(start, size):
            return start
    raise OSError(errno.EADDRINUSE, f"no {size} free ports in a row in {QUIET}")


def starts(size: int) -> list[int]:
    """Return where blocks of this size may begin, in an order of this process's own."""
    step = -(-size // GRAIN) * GRAIN
    found = [
        start
        for start in range(QUIET.start, QUIET.stop - step, step)
        if REFUSED_BY_BROWSERS.isdisjoint(range(start, start + size))
    ]
    random.Random(os.getpid()).shuffle(found)  # noqa: S311 - not a secret
    return found


def reserve(start: int, size: int) -> bool:
    """Have no other process be given a port of this block, until this one ends; False: it has been.

    A process has it that has the UDP ports of these numbers, at each GRAIN: services use TCP.
    """
    taken: list[socket.socket] = []
    for port in range(start, start + size, GRAIN):
        taken.append(mark := socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        try:
            mark.bind(("127.0.0.1", port))
        except OSError:
            for one in taken:
                one.close()
            return False
    _reservations.extend(taken)
    return True


def is_all_free(start: int, size: int) -> bool:
    """Return whether each port of a block can be bound."""
    return all(is_free(port) for port in range(start, start + size))


def is_free(port: int) -> bool:
    """Return whether a port can be bound on both loopback addresses, and on all at once."""
    return all(can_bind(family, host, port) for family, host in ADDRESSES)


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
