"""One connection to the API: a request, its answer, and then perhaps another request."""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
import sys

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from bundlevisor.actors.ui_server.http.flow import Flow
from bundlevisor.actors.ui_server.http.headers import Headers
from bundlevisor.actors.ui_server.http.incoming import MOST_KEPT, Incoming

LONGEST_HEAD = 256 * 1024
"""Bytes of the API's head, all of its fields together."""
MOST_LAST_WORDS = 1024 * 1024
"""Bytes that are still heard of an API that has ended the connection."""


class NoAnswerError(ConnectionError):
    """The API ended the connection before it said anything."""


class NotHttpError(Exception):
    """What the API answered is not HTTP."""


class ApiConnection(Flow):
    """Sends requests one after the other; each answer is read to its end by one reader."""

    def __init__(self, client: socket.socket) -> None:
        super().__init__()
        self._socket = client
        self.status = 0
        self.reason = ""
        self.headers = Headers()
        self.lasts = True
        """Whether it may be used again, once the answer is complete."""
        self.upgraded = False
        """The API has granted a WebSocket."""
        self._method = ""
        self._parser = HttpResponseParser(self)
        self._content = Incoming(self.hold)
        self._content.complete = True
        self._head_size = 0
        self._has_head = True
        self._is_heard = False
        self._lasts_to_end = False
        self._raw: asyncio.StreamReader | None = None
        self._rest = b""
        self._loop = asyncio.get_running_loop()
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def complete(self) -> bool:
        """Whether the answer has come to its end; so it is before the first request."""
        return self._content.complete

    def ask(self, method: str, head: bytes, seconds: float) -> None:
        """Send the head of a request that is to be answered in time; NoAnswerError."""
        self._parser = HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(
            lenient_headers=True,
            lenient_optional_cr_before_lf=True,
            lenient_spaces_after_chunk_size=True,
        )
        self._method = method
        self._has_head = self._is_heard = False
        self._content = Incoming(self.hold)
        self._head_size = 0
        self.answer_within(seconds)
        try:
            self.write(head)
        except ConnectionResetError as error:
            raise NoAnswerError("the API has ended the connection") from error

    if sys.platform == "win32":

        async def send(self, data: bytes) -> None:
            """Send past the transport, and wait until all is sent; ConnectionResetError.

            The transport gives up when sending fails, with what the system has received for it by
            then and taken off the socket: the answer of an API that has not read everything.
            """
            try:
                await self._loop.sock_sendall(self._socket, data)
            except OSError as error:
                raise ConnectionResetError("the API has ended the connection") from error

    def answer_within(self, seconds: float) -> None:
        """The head of the answer has so much time from now on, which may be infinite."""
        self._due = self._loop.time() + seconds
        if self._timer is None and seconds < math.inf:
            self._timer = self._loop.call_later(seconds, self._look_at_time)

    async def answered(self) -> None:
        """Wait for the head of the answer; NotHttpError, TimeoutError, ConnectionError."""
        while not self._has_head:
            await self._content.news()

    def ready(self) -> bytes:
        """Return what has come of the content, which may be nothing."""
        return self._content.ready()

    async def read(self) -> bytes:
        """Wait for content; b"" at the end of the answer, ConnectionError, NotHttpError."""
        return await self._content.read()

    def take_over(self, reader: asyncio.StreamReader) -> None:
        """From now on what comes is no HTTP and goes to this reader; ConnectionResetError."""
        if self.transport is None:
            raise ConnectionResetError("the API ended the WebSocket")
        self._raw = reader
        self.hold(False)
        reader.set_transport(self.transport)
        if self._rest:
            reader.feed_data(self._rest)

    def data_received(self, data: bytes) -> None:
        """Take what the API says; unasked it says nothing."""
        if self._raw is not None:
            self._raw.feed_data(data)
            return
        if self.upgraded:
            self._rest += data
            self.hold(len(self._rest) > MOST_KEPT)
            return
        if self.complete:
            self.lasts = False
            self.abort()
            return
        self._is_heard = True
        self._parse(data)
        if not self._has_head:
            self._head_size += len(data)
            if self._head_size > LONGEST_HEAD:
                self._content.fail(NotHttpError("its head has no end"))
        self._content.wake()

    def connection_lost(self, exc: BaseException | None) -> None:
        """An answer without a length has come to its end; every other has broken off."""
        transport = self.transport
        super().connection_lost(exc)
        if exc is not None and transport is not None:
            self._hear_last_words(transport)
        self.lasts = False
        if self._timer is not None:
            self._timer.cancel()
        if self._raw is not None:
            self._raw.feed_eof()
        if not self.complete:
            if not self._is_heard:
                self._content.fail(NoAnswerError("the API ended the connection"))
            elif self._has_head and self._lasts_to_end and exc is None:
                self._content.finish()
            else:
                self._content.fail(ConnectionResetError("the API ended its answer early"))

    def on_message_begin(self) -> None:
        """An answer begins; the parser calls this and what follows."""
        if self._has_head:
            self.lasts = False  # of another, for which nobody has asked
            return
        self.headers = Headers()
        self.reason = ""

    def on_status(self, piece: bytes) -> None:
        """A piece of the words after the status."""
        if self._has_head:
            return
        self.reason += piece.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head; those after a body in chunks are not passed on."""
        if self._has_head:
            return
        if b"\0" in value:
            raise NotHttpError("a field of its head holds NUL")
        self.headers.add(name, value)

    def on_headers_complete(self) -> None:
        """The head is complete; those of status 1xx say that another comes."""
        if self._has_head:
            return
        parser = self._parser
        self.status = status = parser.get_status_code()
        if status < 200 and status != 101:
            return
        codings = [coding.lower() for coding in self.headers.all("transfer-encoding")]
        if codings not in ([], ["chunked"]):
            raise NotHttpError("of all transfer codings only 'chunked' is known here")
        self._has_head = True
        self.lasts = self.lasts and parser.should_keep_alive()
        framed = bool(codings) or "content-length" in self.headers
        if self._method == "HEAD" or status in (204, 304):
            self._content.complete = True
        self._lasts_to_end = not framed
        self.upgraded = status == 101

    def on_body(self, piece: bytes) -> None:
        """A piece of the content."""
        if self.complete:  # where there is none: after HEAD
            self.lasts = False
            return
        self._content.feed(piece)

    def on_message_complete(self) -> None:
        """The answer has ended, unless it was one of status 1xx."""
        if self._has_head:
            self._content.complete = True

    def _parse(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            self._rest = data[upgrade.args[0] :]
        except HttpParserError as error:
            if self.complete:
                self.lasts = False  # it says more than it was asked for
            else:
                self._content.fail(NotHttpError(str(error)))

    def _hear_last_words(self, transport: asyncio.Transport) -> None:
        """Hear what the API said before it ended the connection while it was sent more.

        asyncio gives a connection up when sending fails, whatever there is to be received, but
        closes the socket only afterwards.
        """
        heard = 0
        with contextlib.suppress(OSError), transport.get_extra_info("socket").dup() as left:
            left.setblocking(False)
            while heard < MOST_LAST_WORDS and (data := left.recv(MOST_KEPT)):
                heard += len(data)
                self.data_received(data)

    def _look_at_time(self) -> None:
        """One timer for all the requests of a connection: it looks whether one is late."""
        rest = self._due - self._loop.time()
        self._timer = None
        if rest > 0:
            self.answer_within(rest)
        elif not self._has_head:
            self._content.fail(TimeoutError("the API does not answer"))
