"""One connection of a client: how much it may send before it is understood, and how slowly."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from aiohttp.http_exceptions import LineTooLong
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import Response, StreamResponse
from aiohttp.web_server import Server

from bundlevisor.actors.ui_server.http import plain_answers
from bundlevisor.actors.ui_server.server.connection_limit import ConnectionLimit

LONGEST_FIELD = 16 * 1024
"""Bytes in the request line, and in one header."""
MOST_FIELDS = 128
HEAD_SECONDS = 10.0
"""From the first byte of a request to the end of its headers; a trickle does not extend it."""
IDLE_SECONDS = 75.0
OVER_SECONDS = 2.0
"""The same for a connection over the limit, from its first moment."""
LINGER_SECONDS = 2.0
"""How long the rest of a body that nobody wants is read, so that the answer arrives."""

CROWDED = (
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\n"
    b"Content-Length: 0\r\n\r\n"
)

log = logging.getLogger(__name__)


class Connection(RequestHandler):
    """aiohttp's connection, with a deadline for request heads, and one of a crowd.

    A path in raw UTF-8, as no browser sends it but ``curl`` does, is a 400 that says so: aiohttp's
    parser (llhttp, strict about RFC 9112) refuses it and cannot be told otherwise. Its other parser
    takes it and is several times slower; encoding the bytes before they get there would need to
    know where a request line begins, which after a body that nobody has read only the parser knows.
    """

    def __init__(
        self, server: Server, loop: asyncio.AbstractEventLoop, crowd: ConnectionLimit
    ) -> None:
        super().__init__(
            server,
            loop=loop,
            keepalive_timeout=IDLE_SECONDS,
            access_log=None,  # type: ignore[arg-type]
            max_line_size=LONGEST_FIELD,
            max_field_size=LONGEST_FIELD,
            max_headers=MOST_FIELDS,
            lingering_time=LINGER_SECONDS,
            auto_decompress=False,
            logger=log,
        )
        self._crowd = crowd
        self._head_deadline: asyncio.TimerHandle | None = None
        self._answering = False
        self.is_new = True
        """Whether nothing has been answered yet."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Join the others; one too many has to hurry."""
        super().connection_made(transport)
        self._crowd.enter(self)
        if self.is_over:
            self._head_deadline = self._loop.call_later(OVER_SECONDS, self.turn_away)

    @property
    def is_over(self) -> bool:
        """Whether there were enough when it came: it gets one answer, and ends."""
        return self._crowd.is_over(self)

    def turn_away(self) -> None:
        """End, with a word if nothing is being answered."""
        if self.transport is not None and not self._answering:
            self.transport.write(CROWDED)
        self.force_close()

    def data_received(self, data: bytes) -> None:
        """Begin the deadline with the first byte of a request."""
        if data and not self._answering and self._head_deadline is None:
            self._head_deadline = self._loop.call_later(HEAD_SECONDS, self.force_close)
        super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Nothing is awaited any more."""
        self._end_deadline()
        self._crowd.leave(self)
        super().connection_lost(exc)

    def begin_answer(self) -> None:
        """The head of a request is complete; what comes now is its body."""
        self._answering = True
        self._end_deadline()
        if self.is_over:
            self.close()

    def end_answer(self) -> None:
        """What comes now is the next request."""
        self._answering = self.is_new = False

    def leave(self) -> None:
        """End as soon as the request under way is answered: now, if there is none."""
        if self._answering:
            self.close()
        else:
            self.force_close()

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Only while the client is there: reading and writing fail without it as they should."""
        if self.transport is not None:
            super().log_exception(*args, **kw)

    def _end_deadline(self) -> None:
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - the base class names it so
    ) -> StreamResponse:
        """Answer what could not be read (400, 431) or failed in here (500), without internals."""
        if request.writer.output_size > 0:
            raise ConnectionError("the answer had begun: it can only be cut off")
        if status >= 500:
            log.error("cannot answer %s %s", request.method, request.raw_path, exc_info=exc)
            answer = plain_answers.failed()
        else:
            answer = _too_long() if isinstance(exc, LineTooLong) else _malformed()
        answer.force_close()
        return answer


def _too_long() -> Response:
    return plain_answers.plain(431, f"a header or the path is longer than {LONGEST_FIELD} bytes")


def _malformed() -> Response:
    return plain_answers.plain(
        400, "this is not an HTTP/1.1 request (in its path, other than ASCII is percent-encoded)"
    )
