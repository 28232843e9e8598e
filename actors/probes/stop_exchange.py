"""The HTTP stop that a service defines for itself: what is sent, and which answer takes it.

The runtime asks so without blocking, the guardian when the runtime is dead. No imports: the
guardian reads this.
"""

from __future__ import annotations

PATIENCE = 2.0
"""Seconds for the answer; a service that takes longer is asked by its signal."""
ENOUGH = 10
"""Bytes of an answer that say whether it takes the stop: ``HTTP/1.1 2``."""


def request(port: int, path: str) -> bytes:
    """Return the whole request: a POST without a body."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 0\r\n"
        "User-Agent: bundlevisor\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    ).encode()


def is_accepted(answer: bytes) -> bool | None:
    """Return whether the beginning of an answer takes the stop: any 2xx; None: more is needed.

    What its body says is not asked: a service that stops may well call itself down.
    """
    if len(answer) < ENOUGH:
        return None
    return answer.startswith(b"HTTP/1.") and answer[8:ENOUGH] == b" 2"
