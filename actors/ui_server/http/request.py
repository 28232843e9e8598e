"""One request whose head is complete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundlevisor.actors.ui_server.http.body import Body
from bundlevisor.actors.ui_server.http.headers import Headers

if TYPE_CHECKING:
    import asyncio
    from typing import Protocol

    from bundlevisor.actors.ui_server.http.outgoing import Outgoing

    class Client(Protocol):
        """Who asked: the connection, as far as an answer needs it."""

        transport: asyncio.Transport | None
        """None when the client is gone."""

        @property
        def address(self) -> str:
            """The client's address."""

        async def send(self, data: bytes) -> None:
            """Send bytes as they are; ConnectionResetError when the client is gone."""

        def outgoing(self) -> Outgoing:
            """Begin an answer that is sent piece by piece."""

        def take_over(self, reader: asyncio.StreamReader) -> None:
            """From now on the client's bytes are no HTTP and go to this reader."""


class Request:
    """What a client asks for, and the connection on which it is answered."""

    def __init__(self, method: str, target: str, headers: Headers, version: str) -> None:
        self.method = method
        self.target = target
        """Path and query, encoded as they were sent."""
        self.headers = headers
        self.version = version
        """``1.1`` or ``1.0``."""
        self.keep_alive = False
        """The connection may be used again."""
        self.upgrade = False
        """The client wants to speak WebSocket, and says nothing more of HTTP until it may not."""
        self.body: Body | None = None
        self.client: Client

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]
