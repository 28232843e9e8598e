"""The socket that a page listens on, where the runtime has none for it."""

from __future__ import annotations

import errno
import socket
import sys

from bundlevisor.actors.ui_server.config import UiConfig

WSAEACCES, WSAEADDRINUSE = 10013, 10048


class CannotServe(Exception):
    """A sentence that says why a page is not served."""


def bind(config: UiConfig) -> socket.socket:
    """Take the port, without listening yet: what connects before we serve is refused.

    CannotServe when it cannot be had.
    """
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if sys.platform == "win32":
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((config.host, config.port))
    except OSError as error:
        taken.close()
        raise refusal(config, error) from None
    return taken


def refusal(config: UiConfig, error: OSError) -> CannotServe:
    """Return why the port of a page cannot be listened on."""
    return CannotServe(
        f"service '{config.service_id}': cannot listen on {config.host}:{config.port}: "
        f"{_why(error)}"
    )


def _why(error: OSError) -> str:
    """Windows has its own words, and refuses a reserved or exclusive port with EACCES."""
    taken = (errno.EADDRINUSE, WSAEADDRINUSE, WSAEACCES)
    return "address already in use" if error.errno in taken else str(error.strerror)
