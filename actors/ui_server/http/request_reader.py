"""From the bytes of a connection to requests, by llhttp: Node's parser, strict about RFC 9112."""

from __future__ import annotations

from collections.abc import Callable

from httptools import (
    HttpParserError,
    HttpParserInvalidMethodError,
    HttpParserUpgrade,
    HttpRequestParser,
)

from bundlevisor.actors.ui_server.http.body import Body
from bundlevisor.actors.ui_server.http.headers import Headers
from bundlevisor.actors.ui_server.http.incoming import MOST_KEPT
from bundlevisor.actors.ui_server.http.request import Request
from bundlevisor.actors.ui_server.http.target import absolute
from bundlevisor.actors.ui_server.http.upgrades import asks_for_websocket

LONGEST_FIELD = 16 * 1024
"""Bytes in the request line, and in one header."""
MOST_FIELDS = 128
LONGEST_HEAD = 128 * 1024
"""Bytes of a head that has not ended yet, and of what comes between two pieces of a body."""


class BadRequestError(Exception):
    """What was sent is no request; nothing after it can be understood."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


class RequestReader:
    """Hands over each request when its head is complete, and fills its body.

    ``hold`` and ``wanted`` are those of :class:`Body`. A path in raw UTF-8, as no browser sends it
    but ``curl`` does, is refused by the parser.
    """

    def __init__(
        self,
        found: Callable[[Request], None],
        hold: Callable[[bool], None],
        wanted: Callable[[], None],
    ) -> None:
        self._found = found
        self._hold = hold
        self._wanted = wanted
        self._parser = HttpRequestParser(self)
        self._target = b""
        self._headers = Headers()
        self._head_size = 0
        self._request: Request | None = None
        self._refusal: BadRequestError | None = None
        self._framing_only = False
        self._without_content = 0
        self._has_content = False
        self.in_head = False
        """A request has begun and its head has not ended."""
        self.raw: bytes | None = None
        """What came after a request for a WebSocket; None when there is none."""

    def feed(self, data: bytes) -> None:
        """Take what has come; BadRequestError."""
        if self.raw is not None:
            self.raw += data
            if len(self.raw) > MOST_KEPT:
                self._hold(True)
            return
        was_in_head, self._has_content = self.in_head, False
        size = len(data)
        while data:
            try:
                self._parser.feed_data(data)
                break
            except HttpParserUpgrade as upgrade:
                data = self._leave_http(data[upgrade.args[0] :])
            except HttpParserInvalidMethodError as error:
                raise _no_method() from error
            except HttpParserError as error:
                raise (self._refusal or _malformed()) from error
        self._limit(size, was_in_head=was_in_head)

    def resume(self) -> None:
        """There will be no WebSocket: what came after the request for it is the next request."""
        rest, self.raw = self.raw, None
        self._hold(False)
        self._parser = HttpRequestParser(self)
        if rest:
            self.feed(rest)

    def break_off(self) -> Request | None:
        """Nothing more comes that can be understood: return the request that has not ended."""
        request, self._request = self._request, None
        if request is None or request.body is None:
            return None
        request.body.break_off()
        return request

    def on_message_begin(self) -> None:
        """A request begins; the parser calls this and what follows."""
        if not self._framing_only:
            self._target, self._headers, self._head_size = b"", Headers(), 0
            self.in_head = True

    def on_url(self, piece: bytes) -> None:
        """A piece of the target."""
        if not self._framing_only:
            self._target += piece
            if len(self._target) > LONGEST_FIELD:
                self._refuse(_too_long())

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head; those after a body in chunks are not passed on."""
        if not self.in_head:
            return
        if len(name) + len(value) > LONGEST_FIELD or len(self._headers) == MOST_FIELDS:
            self._refuse(_too_long())
        self._headers.add(name, value)

    def on_headers_complete(self) -> None:
        """The head is complete."""
        if self._framing_only:
            self._framing_only = False
            return
        self.in_head = False
        parser, headers = self._parser, self._headers
        version = parser.get_http_version()
        method = parser.get_method().decode()
        self._check(version)
        request = Request(method, self._path(version), headers, version)
        request.keep_alive = parser.should_keep_alive() and method != "CONNECT"
        if "transfer-encoding" in headers or (headers.get("content-length") or "0") != "0":
            request.body = Body(self._hold, self._wanted)
        elif parser.should_upgrade():
            asked = version == "1.1" and asks_for_websocket(method, headers.items())
            request.upgrade = asked
        self._request, self._without_content = request, 0
        self._found(request)

    def on_body(self, piece: bytes) -> None:
        """A piece of the content."""
        self._has_content = True
        if self._request is not None and self._request.body is not None:
            self._request.body.feed(piece)

    def on_message_complete(self) -> None:
        """The request has ended; of an upgrade, where the parser skips it, only the head has."""
        request = self._request
        if request is None or (self._parser.should_upgrade() and not request.upgrade):
            return
        if request.body is not None:
            request.body.finish()
        self._request = None

    def _leave_http(self, rest: bytes) -> bytes:
        """The parser takes what follows any Upgrade for another protocol; here it is only one.

        Return what is to be parsed instead.
        """
        request = self._request
        self._parser = HttpRequestParser(self)
        if request is None:
            self.raw = rest
            return b""
        self._framing_only = True
        framing = [
            f"{name}: {value}\r\n"
            for name, value in request.headers.items()
            if name.lower() in ("content-length", "transfer-encoding")
        ]
        return f"POST / HTTP/1.1\r\n{''.join(framing)}\r\n".encode() + rest

    def _path(self, version: str) -> str:
        """Return the target as a path; a host in it takes the place of the one that Host names."""
        target = self._target.decode("latin-1")
        named = None if target.startswith("/") else absolute(target)
        if named is None:
            return target
        host, path = named
        if len(self._headers.all("host")) == 1 or version == "1.0":  # else it is refused as such
            self._headers.replace("Host", host)
        return path

    def _check(self, version: str) -> None:
        """What the parser lets pass: other versions, fragments, and what frames a body otherwise.

        RFC 9112, sections 2.3, 3.2 and 6.1; the parser finds out about an unknown coding too late.
        """
        if version not in ("1.1", "1.0") or b"#" in self._target:
            self._refuse(_malformed())
        codings = [coding.lower() for coding in self._headers.all("transfer-encoding")]
        if codings and version == "1.0":
            self._refuse(_malformed())
        if codings and codings != ["chunked"]:
            self._refuse(
                BadRequestError(501, "of all transfer codings only 'chunked' is known here")
            )

    def _limit(self, size: int, *, was_in_head: bool) -> None:
        """Heads have an end, and so has what frames a body: chunk extensions and trailers."""
        if was_in_head and self.in_head:
            self._head_size += size
        if self._request is not None:
            self._without_content = 0 if self._has_content else self._without_content + size
        if max(self._head_size, self._without_content) > LONGEST_HEAD:
            raise _too_long()

    def _refuse(self, refusal: BadRequestError) -> None:
        self._refusal = refusal
        raise refusal


def _too_long() -> BadRequestError:
    limits = f"{LONGEST_FIELD} bytes, or there are more than {MOST_FIELDS} headers"
    return BadRequestError(431, f"a header or the path is longer than {limits}")


def _no_method() -> BadRequestError:
    return BadRequestError(400, "this request begins with no method that is known here")


def _malformed() -> BadRequestError:
    return BadRequestError(
        400, "this is not an HTTP/1.1 request (in its path, other than ASCII is percent-encoded)"
    )
