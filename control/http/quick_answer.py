"""Answers that need no thread and no application: ``/healthz``, and what is refused at the door.

They are made whole, in the server's loop, for a tenth of a millisecond: what any local process may
ask must cost those who have the token next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from bundlevisor.control.http.door import TurnedAway
from bundlevisor.control.http.health_words import OPEN_PATH
from bundlevisor.control.http.response import Response
from bundlevisor.control.wire.bodies import Error
from bundlevisor.control.wire.errors import CODES, NO_METHOD, not_taken
from bundlevisor.control.wire.origin import NOT_LOOPBACK
from bundlevisor.manifest.format.loopback import is_loopback_authority

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bundlevisor.control.http.health_words import HealthWords
    from bundlevisor.control.http.waitress_parts import HTTPRequestParser

ALLOWED = ("GET", "HEAD", "OPTIONS")
KNOWN = frozenset({*ALLOWED, "POST", "PUT", "PATCH", "DELETE", "CONNECT", "TRACE", "QUERY"})
"""The methods of HTTP (RFC 9110, 9.3; RFC 5789; and what becomes one)."""
ALLOW = ("Allow", ", ".join(ALLOWED))


def of_health(words: HealthWords, method: str, query: str) -> Response:
    """Return the answer to a request for ``/healthz``."""
    if method in ("GET", "HEAD"):
        return words.now() if not query else _knows_no_parameter(query)
    if method == "OPTIONS":
        return Response(200, "OK", b"", (ALLOW,))
    if method not in KNOWN:
        return refusal(400, "Bad Request", CODES[400], NO_METHOD)
    return not_allowed(OPEN_PATH, method, ALLOWED)


def not_allowed(path: str, method: str, allowed: Iterable[str]) -> Response:
    """Return the answer to a method that an address does not take."""
    allow = ("Allow", ", ".join(allowed))
    return refusal(405, "Method Not Allowed", CODES[405], not_taken(path, method), (allow,))


def _knows_no_parameter(query: str) -> Response:
    from bundlevisor.control.wire.parameters import unknown_parameter

    sentence = unknown_parameter(OPEN_PATH, query.partition("=")[0], ())
    return refusal(400, "Bad Request", "unknown_parameter", sentence)


def refusal(
    status: int, reason: str, code: str, sentence: str, headers: Iterable[tuple[str, str]] = ()
) -> Response:
    """Return an error in the shape of the control API."""
    body = msgspec.json.encode(Error(error=sentence, code=code))
    return Response(status, reason, body, tuple(headers))


def of_error(request: HTTPRequestParser) -> Response:
    """Return the response to a request that cannot be read, or may not be answered."""
    from bundlevisor.control.http.request_refusals import sentence

    error = request.error
    if error is None:
        return refusal(500, "Internal Server Error", CODES[500], "the request failed")
    if isinstance(error, TurnedAway):
        return refusal(error.code, error.reason, error.name, error.body, error.headers)
    host = request.headers.get("HOST")
    if error.code < 500 and host is not None and not is_loopback_authority(host):
        return refusal(403, "Forbidden", "forbidden_host", NOT_LOOPBACK)
    code = CODES.get(error.code, "error")
    return refusal(error.code, error.reason, code, sentence(error))
