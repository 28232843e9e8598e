"""The response to a request, and its bytes on the wire: nothing of waitress is needed for it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from bundlevisor.actors.loop.wall_time import http_date
from bundlevisor.control.wire.exchange import EVERY_ANSWER

if TYPE_CHECKING:
    from typing import Protocol

    class Request(Protocol):
        """A request, as far as its answer's shape depends on it; header names are waitress's."""

        @property
        def command(self) -> str:
            """The method."""

        @property
        def version(self) -> str:
            """Of HTTP, as ``1.1``."""

        @property
        def headers(self) -> dict[str, str]:
            """By name, in capital letters."""

        @property
        def error(self) -> object:
            """Why it is refused; None where it is not."""


class Response(msgspec.Struct, frozen=True):
    """A status and a body, JSON unless it says otherwise."""

    status: int
    reason: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    media_type: str = "application/json"


def closes(request: Request) -> bool:
    """Return whether the connection ends with the answer: an error, or the client wants it so."""
    wish = request.headers.get("CONNECTION", "").lower()
    by_version = wish != "keep-alive" if request.version != "1.1" else wish == "close"
    return request.error is not None or by_version


def on_the_wire(response: Response, request: Request) -> bytes:
    """Return the bytes of a whole answer, its headers in the order that waitress puts them in."""
    spoken = request.version if request.version in ("1.0", "1.1") else "1.0"
    connection = [("Connection", "close")] if closes(request) else []
    if spoken == "1.0" and not connection:
        connection = [("Connection", "Keep-Alive")]
    lines = [
        *EVERY_ANSWER.items(),
        *connection,
        *response.headers,
        ("Content-Length", str(len(response.body))),
        ("Content-Type", response.media_type),
        ("Date", http_date(int(time.time()))),
    ]
    fields = "".join(f"{name}: {value}\r\n" for name, value in sorted(lines))
    head = f"HTTP/{spoken} {response.status} {response.reason}\r\n{fields}\r\n"
    return head.encode("latin-1") + (b"" if request.command == "HEAD" else response.body)
