"""Finds its port taken at its first ``--times`` starts, and exits as programs do then.

``--thief PORT`` is where the test listens; it is told the port and takes it before the service
tries to. Without a thief the service only claims that the address is in use.
"""

from __future__ import annotations

import _socket
import os

from tests.programs.observed import incarnation, leave, number, say, serve, start


def main() -> None:
    start()
    if incarnation() <= number("times", 1):
        if thief := number("thief", 0):
            let_it_be_taken(thief)
        else:
            say("OSError: [Errno 98] Address already in use\n", stream=2)
            leave(1)
    serve()


def let_it_be_taken(thief: int) -> None:
    connection = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    connection.connect(("127.0.0.1", thief))
    connection.sendall(os.environ["PORT_HTTP"].encode() + b"\n")
    connection.recv(1)
    connection.close()
