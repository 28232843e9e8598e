"""Answers that need no thread and no application: ``/healthz``, and what is refused at the door.

They are made whole, in the server's loop, for a tenth of a millisecond: what any local process may
ask must cost those who have the token next to nothing.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from bundlevisor.control.api.health import health
from bundlevisor.control.http.door import OPEN_PATH, Refused
from bundlevisor.control.http.waitress_parts import build_http_date
from bundlevisor.control.wire import version
from bundlevisor.control.wire.bodies import Error, Health
from bundlevisor.control.wire.errors import CODES
from bundlevisor.control.wire.every_answer import EVERY_ANSWER
from bundlevisor.control.wire.origin import NOT_LOOPBACK, is_loopback_authority

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bundlevisor.actors.core.snapshot import Board, Snapshot
    from bundlevisor.control.http.waitress_parts import HTTPRequestParser

ALLOWED = ("GET", "HEAD", "OPTIONS")
KNOWN = frozenset({*ALLOWED, "POST", "PUT", "PATCH", "DELETE", "CONNECT", "TRACE", "QUERY"})
"""The methods of HTTP (RFC 9110, 9.3; RFC 5789; and what becomes one)."""
ALLOW = ("Allow", ", ".join(ALLOWED))


class Said(msgspec.Struct, frozen=True):
    """A status and a body, JSON unless it says otherwise."""

    status: int
    reason: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    media_type: str = "application/json"


class HealthWords:
    """What ``/healthz`` says; made once per snapshot."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._snapshot: Snapshot | None = None
        self._said = Said(200, "OK", b"")

    def now(self) -> Said:
        """Return the health of the newest snapshot."""
        snapshot = self._board.snapshot
        if snapshot is not self._snapshot:
            word = health(snapshot)
            body = Health(status=word, services=len(snapshot.services), runtime=version.runtime())
            stopping = word == "stopping"
            status, reason = (503, "Service Unavailable") if stopping else (200, "OK")
            self._said = Said(status, reason, msgspec.json.encode(body))
            self._snapshot = snapshot
        return self._said

    def answer(self, method: str, query: str) -> Said:
        """Return the answer to a request for ``/healthz``."""
        if method in ("GET", "HEAD"):
            return self.now() if not query else _knows_no_parameter(query)
        if method == "OPTIONS":
            return Said(200, "OK", b"", (ALLOW,))
        if method not in KNOWN:
            return refusal(400, "Bad Request", CODES[400], "the method is none of HTTP's")
        sentence = f"{OPEN_PATH} does not take {method}; see the Allow header"
        return refusal(405, "Method Not Allowed", CODES[405], sentence, (ALLOW,))


def _knows_no_parameter(query: str) -> Said:
    from bundlevisor.control.wire.parameters import unknown_parameter

    sentence = unknown_parameter(OPEN_PATH, query.partition("=")[0], ())
    return refusal(400, "Bad Request", "unknown_parameter", sentence)


def refusal(
    status: int, reason: str, code: str, sentence: str, headers: Iterable[tuple[str, str]] = ()
) -> Said:
    """Return an error in the shape of the control API."""
    body = msgspec.json.encode(Error(error=sentence, code=code))
    return Said(status, reason, body, tuple(headers))


def of_error(request: HTTPRequestParser) -> Said:
    """Return what is said about a request that cannot be read, or may not be answered."""
    from bundlevisor.control.http.request_refusals import sentence

    error = request.error
    if error is None:
        return refusal(500, "Internal Server Error", CODES[500], "the request failed")
    if isinstance(error, Refused):
        return refusal(error.code, error.reason, error.name, error.body, error.headers)
    host = request.headers.get("HOST")
    if error.code < 500 and host is not None and not is_loopback_authority(host):
        return refusal(403, "Forbidden", "forbidden_host", NOT_LOOPBACK)
    code = CODES.get(error.code, "error")
    return refusal(error.code, error.reason, code, sentence(error))


def closes(request: HTTPRequestParser) -> bool:
    """Return whether the connection ends with the answer: an error, or the client wants it so."""
    wish = request.headers.get("CONNECTION", "").lower()
    by_version = wish != "keep-alive" if request.version != "1.1" else wish == "close"
    return request.error is not None or by_version


def on_the_wire(said: Said, request: HTTPRequestParser) -> bytes:
    """Return the bytes of a whole answer, its headers in the order that waitress puts them in."""
    spoken = request.version if request.version in ("1.0", "1.1") else "1.0"
    connection = [("Connection", "close")] if closes(request) else []
    if spoken == "1.0" and not connection:
        connection = [("Connection", "Keep-Alive")]
    lines = [
        *EVERY_ANSWER.items(),
        *connection,
        *said.headers,
        ("Content-Length", str(len(said.body))),
        ("Content-Type", said.media_type),
        ("Date", build_http_date(time.time())),
    ]
    fields = "".join(f"{name}: {value}\r\n" for name, value in sorted(lines))
    head = f"HTTP/{spoken} {said.status} {said.reason}\r\n{fields}\r\n"
    return head.encode("latin-1") + (b"" if request.command == "HEAD" else said.body)
