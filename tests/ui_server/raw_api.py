"""An API of sockets alone: for what no HTTP library would say, or note."""

from __future__ import annotations

import contextlib
import socket
import threading

from tests.acceptor import Acceptor


class RawApi:
    """Listens, and serves its connections beside one another as :meth:`serve` does."""

    def __init__(self) -> None:
        self._acceptor = Acceptor(self._take)
        self.port = self._acceptor.port

    def serve(self, client: socket.socket) -> None:
        """Serve one connection; it is closed afterwards, and may end in between."""
        raise NotImplementedError

    def close(self) -> None:
        """Take no more connections."""
        self._acceptor.close()

    def _take(self, client: socket.socket) -> None:
        threading.Thread(target=self._attend, args=(client,), daemon=True).start()

    def _attend(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            self.serve(client)
