"""Who comes in: every request is looked at here first, in the server's loop, headers only.

What has no token gets no thread, no memory for a body and no place in a queue: it is refused, or
answered from memory, where it is read. So whatever local processes without the token do, those who
have it find the threads free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundlevisor.control.api.auth import carries
from bundlevisor.control.wire.origin import refusal_of

if TYPE_CHECKING:
    from bundlevisor.control.http.waitress_parts import HTTPRequestParser

OPEN_PATH = "/healthz"
"""The one path that needs no token."""


class Refused:
    """The error of a request that is turned away, as waitress's errors are."""

    def __init__(self, status: int, reason: str, name: str, sentence: str) -> None:
        self.code = status
        self.reason = reason
        self.body = sentence
        self.name = name
        self.headers = [("WWW-Authenticate", "Bearer")] if status == 401 else []


NO_TOKEN = Refused(
    401,
    "Unauthorized",
    "unauthorized",
    "the request needs the runtime's token: Authorization: Bearer <token>",
)


class Door:
    """Knows the token, and who is loopback."""

    def __init__(self, token: str) -> None:
        if not token:
            raise ValueError("the control API needs a token that is not empty")
        self._token = token.encode()

    def knows(self, request: HTTPRequestParser) -> bool:
        """Return whether a request carries the token."""
        return carries(request.headers.get("AUTHORIZATION", ""), self._token)

    def refusal(self, request: HTTPRequestParser, trusted: bool) -> Refused | None:
        """Return why a request is turned away: first its Host, then its Origin, then its token."""
        headers = request.headers
        foreign = refusal_of(headers.get("HOST", ""), headers.get("ORIGIN"))
        if foreign is not None:
            return Refused(403, "Forbidden", *foreign)
        return None if trusted or is_open(request) else NO_TOKEN


def is_open(request: HTTPRequestParser) -> bool:
    """Return whether a request is for what needs no token, and is answered from memory."""
    return request.path == OPEN_PATH
