"""Load on an HTTP server: some connections that each ask again as soon as they are answered."""

from __future__ import annotations

import selectors
import socket
import time

from bundlevisor.perf import client

PATIENCE_S = 30.0
"""For a first answer: without one there is nothing to tell."""


class Asker:
    """One kept connection; it is made again when the server closes it."""

    def __init__(self, port: int, message: bytes) -> None:
        self._port = port
        self._message = message
        self._received = b""
        self.asked = 0.0
        self.socket = self._connect()

    def _connect(self) -> socket.socket:
        connection = client.connect(self._port)
        if connection is None:
            raise ConnectionError(f"port {self._port} refused a connection")
        return connection

    def ask(self) -> None:
        """Send the request."""
        self._received = b""
        self.asked = time.perf_counter()
        self.socket.sendall(self._message)

    def take(self) -> client.Answer | None:
        """Read what has come; return the answer once it is whole. ConnectionError at an end."""
        piece = self.socket.recv(262144)
        if not piece:
            raise ConnectionError("closed by the server")
        self._received += piece
        return client.parse(self._received)

    def renew(self) -> None:
        """Connect anew."""
        self.socket.close()
        self.socket = self._connect()


def run(port: int, message: bytes, connections: int, seconds: float) -> tuple[float, list[float]]:
    """Ask for ``seconds``; return answers with status 200 per second, and their latencies in ms.

    Raises RuntimeError at another status, and where none answers at all.
    """
    latencies: list[float] = []
    with selectors.DefaultSelector() as ready:
        askers = [Asker(port, message) for _ in range(connections)]
        try:
            for asker in askers:
                ready.register(asker.socket, selectors.EVENT_READ, asker)
                asker.ask()
            began = time.perf_counter()
            while (lasted := time.perf_counter() - began) < (seconds if latencies else PATIENCE_S):
                for key, _ in ready.select(1.0):
                    _answered(key.data, ready, latencies)
        finally:
            for asker in askers:
                asker.socket.close()
    if not latencies:
        raise RuntimeError(f"no answer on port {port} within {PATIENCE_S:g} s")
    return len(latencies) / lasted, latencies


def _answered(asker: Asker, ready: selectors.BaseSelector, latencies: list[float]) -> None:
    try:
        answer = asker.take()
    except ConnectionError:
        ready.unregister(asker.socket)
        asker.renew()
        ready.register(asker.socket, selectors.EVENT_READ, asker)
        asker.ask()
        return
    if answer is None:
        return
    if answer.status != 200:
        raise RuntimeError(f"answered {answer.status}: {answer.body[:200]!r}")
    latencies.append((time.perf_counter() - asker.asked) * 1000)
    asker.ask()
