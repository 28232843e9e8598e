"""The stop that a service defines for itself: one POST on loopback."""

from __future__ import annotations

import socket

from bundlevisor.actors.probes.stop_exchange import ENOUGH, PATIENCE, is_accepted, request

CONNECT = 0.25
"""Seconds; on loopback a connection is made, or refused, at once."""


class StopRequest:
    """A request that has been sent; it is refused unless a 2xx comes back in time."""

    def __init__(self, address: tuple[int, str], now: float) -> None:
        port, path = address
        self.until = now + PATIENCE
        self.pending = True
        self.accepted = False
        self._answer = b""
        self._socket: socket.socket | None = None
        try:
            # not create_connection, which looks the name up: by a codec that may be gone by now
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            self._socket.settimeout(CONNECT)
            self._socket.connect(("127.0.0.1", port))
            self._socket.sendall(request(port, path))
        except OSError:
            self.close()

    @property
    def fd(self) -> int:
        """The descriptor that can be read when the answer comes; -1 when none is awaited."""
        return self._socket.fileno() if self._socket and self.pending else -1

    def read(self) -> None:
        """Take what has come of the answer; one that ends before it says anything is a refusal."""
        try:
            data = self._socket.recv(ENOUGH) if self._socket else b""
        except OSError:
            data = b""
        self._answer += data
        accepted = is_accepted(self._answer)
        self.accepted = bool(accepted)
        self.pending = bool(data) and accepted is None

    def expire(self, now: float) -> None:
        """Give up on an answer that is late."""
        if self.pending and now >= self.until:
            self.pending = False

    def close(self) -> None:
        """Let go of the connection; without an answer so far it is refused."""
        self.pending = False
        if self._socket:
            self._socket.close()
            self._socket = None
