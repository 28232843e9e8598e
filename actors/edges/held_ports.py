"""Ports that are given out but not yet used: each is held by a bound socket until the spawn.

A port is claimed by an exclusive bind. Where the last user's connections still linger (TIME_WAIT,
tcp(7)) that fails although nobody listens; a bind with SO_REUSEADDR followed by listen(2) is then
as exclusive: of two that try, the second's listen fails. On Linux the socket is silenced at once,
so that clients of a service that is down are refused; elsewhere they connect, and are cut off when
the service binds its port.
"""

from __future__ import annotations

import socket
import sys

HOST = "127.0.0.1"
BACKLOG = 128


class HeldPorts:
    """The sockets that keep ports for services. Only :meth:`move` is safe from several threads."""

    def __init__(self) -> None:
        self._sockets: dict[int, socket.socket] = {}

    def hold(self, port: int) -> bool:
        """Claim the port; False when somebody else has it. Holding twice is no error."""
        if port in self._sockets:
            return True
        claimed = _claim(port)
        if claimed is None:
            return False
        self._sockets[port] = claimed
        return True

    def listen(self, port: int) -> int | None:
        """Hold the port with a listening socket and return its descriptor, None when taken."""
        held = self._sockets.pop(port, None)
        if held is not None:
            if _listens(held):
                self._sockets[port] = held
                return held.fileno()
            held.close()
        listening = _listen(port)
        if listening is None:
            return None
        self._sockets[port] = listening
        return listening.fileno()

    def take(self, port: int) -> socket.socket | None:
        """Return the socket that holds the port, for somebody who will listen on it.

        Its connections will linger (TIME_WAIT) with the options that it has now: without
        SO_REUSEADDR nobody could bind the port for a minute after the service has ended.
        """
        held = self._sockets.pop(port, None)
        if held is not None and sys.platform != "win32":
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return held

    def release(self, port: int) -> None:
        """Give the port up, so that its service can bind it."""
        held = self._sockets.pop(port, None)
        if held is not None:
            held.close()

    def move(self, port: int, other: HeldPorts) -> bool:
        """Give a port that is held here over to ``other``; False when it is not held."""
        held = self._sockets.pop(port, None)
        if held is None:
            return False
        other.release(port)
        other._sockets[port] = held
        return True

    def release_all(self) -> None:
        """Give all ports up."""
        for port in list(self._sockets):
            self.release(port)


def is_taken(port: int) -> bool:
    """Whether the port can no longer be bound."""
    probe = HeldPorts()
    free = probe.hold(port)
    probe.release_all()
    return not free


def _claim(port: int) -> socket.socket | None:
    exclusive = _socket()
    if _try_bind(exclusive, port):
        return exclusive
    exclusive.close()
    claimed = _listen(port) if sys.platform != "win32" else None
    if claimed is not None and sys.platform == "linux":
        _silence(claimed)
    return claimed


def _silence(sock: socket.socket) -> None:
    """Stop listening and keep the port: on Linux a shutdown leaves what bind(2) was asked for.

    Without SO_REUSEADDR nobody can bind beside it, whatever options the other one has.
    """
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    sock.shutdown(socket.SHUT_RDWR)


def _listen(port: int) -> socket.socket | None:
    sock = _socket()
    if sys.platform != "win32":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((HOST, port))
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        return None
    return sock


def _socket() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if sys.platform == "win32":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    return sock


def _try_bind(sock: socket.socket, port: int) -> bool:
    """EADDRINUSE, and EACCES (10013, a reserved range of Windows), both mean: not this one."""
    try:
        sock.bind((HOST, port))
    except OSError:
        return False
    return True


def _listens(sock: socket.socket) -> bool:
    return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
