"""A raw HTTP/1.1 client for loopback: it costs little, so that what is measured is the server."""

from __future__ import annotations

import socket
from typing import Any

import msgspec

from bundlevisor.actors.probes.checks import is_own


class Answer(msgspec.Struct, frozen=True):
    """A whole answer; ``body`` is decoded from chunks where the server sent chunks."""

    status: int
    body: bytes

    def json(self) -> Any:
        """Decode the body; raises msgspec.DecodeError when it is not JSON."""
        return msgspec.json.decode(self.body)


def connect(port: int, timeout: float = 5.0) -> socket.socket | None:
    """Try once to connect to 127.0.0.1; None when nobody listens there."""
    attempt = socket.socket()
    try:
        attempt.settimeout(timeout)
        attempt.connect(("127.0.0.1", port))
        if is_own(attempt):
            attempt.close()
            return None
    except OSError:
        attempt.close()
        return None
    attempt.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return attempt


def request(path: str, port: int, token: str = "", method: str = "GET") -> bytes:
    """Return the bytes of a request that keeps the connection."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if method != "GET":
        lines.append("Content-Length: 0")
    return "\r\n".join([*lines, "", ""]).encode()


def parse(received: bytes) -> Answer | None:
    """Return the answer once ``received`` holds all of it, else None."""
    head, found, body = received.partition(b"\r\n\r\n")
    if not found:
        return None
    status = int(head.split(None, 2)[1])
    fields = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(b":") for line in head.split(b"\r\n")[1:])
    }
    if fields.get(b"transfer-encoding", b"").lower() == b"chunked":
        whole = _unchunked(body)
        return None if whole is None else Answer(status, whole)
    length = int(fields.get(b"content-length", b"0"))
    return Answer(status, body[:length]) if len(body) >= length else None


def _unchunked(body: bytes) -> bytes | None:
    whole = b""
    while True:
        size, found, rest = body.partition(b"\r\n")
        if not found:
            return None
        count = int(size.split(b";")[0], 16)
        if len(rest) < count + 2:
            return None
        if count == 0:
            return whole
        whole += rest[:count]
        body = rest[count + 2 :]


def exchange(connection: socket.socket, message: bytes) -> Answer | None:
    """Send a request and wait for its answer; None when the server closed first, was too slow, or
    answered something else."""
    received = b""
    try:
        connection.sendall(message)
        while piece := connection.recv(262144):
            received += piece
            if answer := parse(received):
                return answer
    except (OSError, ValueError, IndexError):  # also: what answers speaks no HTTP
        pass
    return None


def ask(
    port: int, path: str, token: str = "", method: str = "GET", timeout: float = 5.0
) -> Answer | None:
    """Make one request on a connection of its own; None when there is no answer."""
    connection = connect(port, timeout)
    if connection is None:
        return None
    with connection:
        return exchange(connection, request(path, port, token, method))
