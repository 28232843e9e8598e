"""Ports that nobody listens on, has used lately, or is given meanwhile by another test."""

from __future__ import annotations

import socket

from bundlevisor.testing.ports import GRAIN, is_all_free, reserve, starts

_left: list[int] = []


def fresh_port() -> int:
    """Return a port of a block of this process's own that has not been given out yet.

    Where the system chooses one (port 0) and it is closed again, it may choose the same for the
    next who asks, as tests in other processes do all the time. OSError when there is no block left.
    """
    while True:
        if not _left:
            _left.extend(_own_block())
        with socket.socket() as exclusive:
            try:
                exclusive.bind(("127.0.0.1", port := _left.pop()))
            except OSError:  # a connection of somebody before lingers on it
                continue
        return port


def _own_block() -> range:
    for start in starts(GRAIN):
        if is_all_free(start, GRAIN) and reserve(start, GRAIN):
            return range(start, start + GRAIN)
    raise OSError(f"no {GRAIN} free ports in a row")
