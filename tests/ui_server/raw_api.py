"""An API of sockets alone: for what no HTTP library would say, or note."""

from __future__ import annotations

import contextlib
import socket
import threading


class RawApi:
    """Listens, and serves its connections beside one another as :meth:`serve` does."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def serve(self, client: socket.socket) -> None:
        """Serve one connection; it is closed afterwards, and may end in between."""
        raise NotImplementedError

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._attend, args=(client,), daemon=True).start()

    def _attend(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            self.serve(client)
