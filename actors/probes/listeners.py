"""Whether anybody listens on a port: on 127.0.0.1, or by mistake on ::1 only, in a sentence."""

from __future__ import annotations

import socket
import sys

HANDSHAKE_S = 0.02
"""Seconds for a listener of this machine, or for the system in its place, to answer."""


def nothing_listens(port: int) -> str:
    """Say that nobody listens on 127.0.0.1, and who does so elsewhere where a mistake is likely."""
    missing = f"nothing listens on port {port}"
    if not listens_on_ipv6(port):
        return missing
    return f"{missing} of 127.0.0.1; something does on ::1, and should on 127.0.0.1"


def listens_on_ipv6(port: int) -> bool:
    """Return whether a connection to ::1 would be accepted; False in any doubt. Hardly waits."""
    try:
        return _is_listener(port)
    except OSError:
        return False


def accepts(port: int, within: float = HANDSHAKE_S) -> bool:
    """Return whether a connection to ::1 is accepted within so many seconds; OSError when not.

    Asked on macOS and Windows, where nobody tells who listens, and no handshake is over when
    connect(2) returns, though soon after.
    """
    from bundlevisor.actors.probes.closed_port import tell_at_once

    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as attempt:
        tell_at_once(attempt)
        attempt.settimeout(within)
        attempt.connect(("::1", port))
        return bool(attempt.getsockname() != attempt.getpeername())


if sys.platform == "linux":

    def _is_listener(port: int) -> bool:
        from bundlevisor.actors.probes.sock_diag import listening_ports, netlink

        with netlink() as link:
            return bool(listening_ports(link, {port}, socket.AF_INET6))

else:
    _is_listener = accepts
