"""The body of a request on its way to the API."""

from __future__ import annotations

import asyncio

from bundlevisor.actors.ui_server.http.body import Body
from bundlevisor.actors.ui_server.http.outgoing import LAST_CHUNK
from bundlevisor.actors.ui_server.proxy.api_connection import ApiConnection


class Upload:
    """Passes a body on as it comes; each piece renews the patience of the request.

    The API may answer, and end the connection, before it has read everything.
    """

    def __init__(
        self, body: Body, connection: ApiConnection, seconds: float, *, chunked: bool
    ) -> None:
        self._body = body
        self._connection = connection
        self._seconds = seconds
        self._chunked = chunked
        self._task: asyncio.Task[None] | None = None
        self.waiting = False
        """The client is to send the next piece."""

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.ensure_future(self._run())

    @property
    def is_over(self) -> bool:
        """Whether the API has it all."""
        return self._task is not None and self._task.done()

    def stop(self) -> None:
        """Pass nothing more on."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        try:
            await self._pass_on()
        except ConnectionError:
            return  # of the client: its request is being cancelled; of the API: its answer says it

    async def _pass_on(self) -> None:
        while True:
            self.waiting = True
            piece = await self._body.read()
            self.waiting = False
            self._connection.answer_within(self._seconds)
            if not piece:
                break
            framed = b"%x\r\n%b\r\n" % (len(piece), piece) if self._chunked else piece
            await self._connection.send(framed)
        if self._chunked:
            await self._connection.send(LAST_CHUNK)
