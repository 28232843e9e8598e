"""The listening socket of the control API: bound before anything slow is done.

From then on a client's connection waits in the backlog instead of being refused; the server takes
the socket over when it is ready.
"""

from __future__ import annotations

import contextlib
import socket
import sys

from bundlevisor.control.boot import early_socket
from bundlevisor.manifest.format.loopback import address_of
from bundlevisor.manifest.plan.ports import REFUSED_BY_BROWSERS


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on the port, or on an ephemeral one when that is taken or 0.

    ``host`` is a loopback name or address. Raises OSError, which names it, when that itself cannot
    be used.
    """
    early = early_socket.take(host, port)
    if early is not None:
        return socket.socket(fileno=early)
    address = address_of(host)
    if port:
        with contextlib.suppress(OSError):
            return _bound(address, port)
    try:
        return _bound_anywhere(address)
    except OSError as error:
        named = f"{address}, where the control API is to listen"
        raise OSError(error.errno, error.strerror, named) from error


def _bound_anywhere(address: str) -> socket.socket:
    """Return a socket on any port, on one that browsers refuse only where there is no other."""
    sock = _bound(address, 0)
    if sock.getsockname()[1] not in REFUSED_BY_BROWSERS:
        return sock
    try:
        other = _bound_anywhere(address)
    except OSError:
        return sock
    sock.close()
    return other


def _bound(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        sock.listen(early_socket.BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock
