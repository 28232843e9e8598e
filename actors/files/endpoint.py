"""What a shell reads to find the control API: the token's file and ``runtime/ipc_port``."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress

from bundlevisor.actors.files import atomic, own_file
from bundlevisor.manifest.format.app_data import IPC_PORT, below
from bundlevisor.manifest.format.document import LAST_PORT

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
"""URL-safe base64's. By hand: to load the module of machine code takes 0.3 ms of a start."""

LONGEST_TOKEN = 4096
"""Bytes: a file with more is no token."""


def new_token() -> str:
    """32 random bytes in URL-safe base64 without padding (RFC 4648, section 5): 43 characters."""
    bits = int.from_bytes(os.urandom(32), "big") << 2
    return "".join(ALPHABET[bits >> place & 63] for place in range(252, -1, -6))


def write_token(
    path: str,
    token: str,
    *,
    making: Callable[[str], object] = atomic.unheard,
    announce: Callable[[str], object] = atomic.unheard,
) -> None:
    """Write the token for the user alone (0600, from its first byte on). Raises OSError.

    A file or link that stands there is replaced, never written through.
    ``making`` and ``announce`` are those of :func:`atomic.write`.
    """
    atomic.write(path, token.encode(), durable=False, making=making, announce=announce)


def read_token(path: str) -> str:
    """Return the token, without the white space around it; raises OSError, Unfit if too long."""
    return own_file.read(path, LONGEST_TOKEN).decode("utf-8", "replace").strip()


def port_path(app_data: str) -> str:
    """Where the port in force is written."""
    return below(app_data, IPC_PORT)


def write_port(
    app_data: str,
    port: int,
    *,
    making: Callable[[str], object] = atomic.unheard,
    announce: Callable[[str], object] = atomic.unheard,
) -> None:
    """Write the digits and nothing else: shells parse the whole file. Raises OSError."""
    path, data = port_path(app_data), str(port).encode()
    atomic.write(path, data, durable=False, making=making, announce=announce)


def read_port(app_data: str) -> int | None:
    """Return the port in force, or None when no instance has said one."""
    try:
        port = int(own_file.read(port_path(app_data), 16))
    except (OSError, ValueError):
        return None
    return port if 0 < port <= LAST_PORT else None


def remove_if_ours(path: str, content: str) -> None:
    """Remove the file if it still says ``content``; a successor's file stays."""
    with suppress(OSError):
        if own_file.read(path, follow=False) == content.encode():
            own_file.remove(path)
