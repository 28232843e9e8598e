"""A listener of a test's own, with a thread that takes what comes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

from tests.waiting import WITHIN


class Acceptor:
    """Gives every connection to ``take``, one after the other, until it is closed."""

    def __init__(self, take: Callable[[socket.socket], object]) -> None:
        self._take = take
        self._closed = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            client, _ = self._listener.accept()
            if self._closed:
                client.close()
                return
            self._take(client)

    def close(self) -> None:
        """End the thread, and then listen no more.

        The other way round it might be about to call accept(2) with a number that is by then the
        next test's listener.
        """
        self._closed = True
        with socket.create_connection(("127.0.0.1", self.port)):
            self._thread.join(WITHIN)
        self._listener.close()
