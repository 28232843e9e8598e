"""The stop that a service defines for itself: one POST on loopback."""

from __future__ import annotations

import socket

PATIENCE = 2.0
"""Seconds for an answer; then the service is asked by its signal."""
CONNECT = 0.25
"""Seconds; on loopback a connection is made, or refused, at once."""


class StopRequest:
    """A request that has been sent; it is refused unless a 2xx comes back in time."""

    def __init__(self, address: tuple[int, str], now: float) -> None:
        port, path = address
        self.until = now + PATIENCE
        self.pending = True
        self.accepted = False
        self._socket: socket.socket | None = None
        request = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            "Content-Length: 0\r\nConnection: close\r\n\r\n"
        )
        try:
            self._socket = socket.create_connection(("127.0.0.1", port), CONNECT)
            self._socket.sendall(request.encode())
        except (OSError, UnicodeError):
            self.close()

    @property
    def fd(self) -> int:
        """The descriptor that can be read when the answer comes; -1 when none is awaited."""
        return self._socket.fileno() if self._socket and self.pending else -1

    def read(self) -> None:
        """Take the beginning of the answer; no answer is a refusal."""
        try:
            answer = self._socket.recv(16) if self._socket else b""
        except OSError:
            answer = b""
        self.accepted = answer.startswith(b"HTTP/1.") and answer[9:10] == b"2"
        self.pending = False

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
