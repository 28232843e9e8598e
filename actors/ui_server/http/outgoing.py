"""An answer that is sent piece by piece: under its length, in chunks, or until the end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bundlevisor.actors.ui_server.http import answer
from bundlevisor.actors.ui_server.http.headers import Pairs

LAST_CHUNK = b"0\r\n\r\n"


class Outgoing:
    """Sends a head with the first piece, or alone when :meth:`flush` is called before there is one.

    Without a length HTTP/1.1 has chunks; for 1.0 the answer ends with its connection, which
    ``lasts`` says no more then.
    """

    def __init__(
        self,
        send: Callable[[bytes], Awaitable[None]],
        *,
        version: str,
        lasts: bool,
        without_body: bool,
    ) -> None:
        self._send = send
        self._version = version
        self._without_body = without_body
        self._waiting = b""
        self._chunked = False
        self.lasts = lasts
        """Whether the connection may be used for the next request afterwards."""
        self.begun = False
        """Whether a byte of it may be on its way."""

    def begin(self, status: int, why: str, fields: Pairs) -> None:
        """Set the head; 101 is the last that HTTP says on its connection.

        It has no length, nor has 204, whatever an API says (RFC 9110, section 8.6).
        """
        if status in (101, 204):
            fields = [(name, value) for name, value in fields if name.lower() != "content-length"]
        empty = self._without_body or status in answer.WITHOUT_CONTENT or status == 101
        counted = any(name.lower() == "content-length" for name, _ in fields)
        if not empty and not counted:
            self._chunked = self._version == "1.1"
            self.lasts = self.lasts and self._chunked
        if self._chunked:
            fields = [*fields, ("Transfer-Encoding", "chunked")]
        self._without_body = empty and status != 101
        self._waiting = answer.head(status, why, fields, self._version, keep_alive=self.lasts)

    async def write(self, piece: bytes) -> None:
        """Send a piece, waiting while the client reads too slowly; ConnectionResetError."""
        if not piece or self._without_body:
            return
        framed = b"%x\r\n%b\r\n" % (len(piece), piece) if self._chunked else piece
        await self._out(framed)

    async def flush(self) -> None:
        """Send the head, if that has not happened."""
        if self._waiting:
            await self._out(b"")

    async def end(self) -> None:
        """Send what is missing: the last chunk, and the head of an answer without content."""
        await self._out(LAST_CHUNK if self._chunked else b"")

    async def _out(self, data: bytes) -> None:
        data = self._waiting + data
        self._waiting = b""
        if data:
            self.begun = True
            await self._send(data)
