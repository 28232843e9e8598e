"""Who comes in: every request is looked at here first, in the server's loop, headers only.

What has no token gets no thread, no memory for a body and no place in a queue: it is refused, or
answered from memory, where it is read. So whatever local processes without the token do, those who
have it find the threads free.
"""

from __future__ import annotations

import threading
from _operator import _compare_digest as compare_digest  # hmac's own, without OpenSSL behind it
from typing import TYPE_CHECKING

from bundlevisor.control.http.health_words import OPEN_PATH
from bundlevisor.control.wire.origin import refusal_of

if TYPE_CHECKING:
    from bundlevisor.control.dashboard.guests import Guests
    from bundlevisor.control.http.waitress_parts import HTTPRequestParser

ENTRANCE = {"/ui/enter": "enter.html", "/ui/sessions": ""} | {
    f"/ui/{name}": name for name in ("enter.js", "enter.css", "key.js", "icon.svg")
}
"""Where a browser gets in that has no session yet: the file of the page that each address shows;
none where the code is changed for a session."""
PAGE = frozenset({"/ui", "/ui/"})


class TurnedAway:
    """The error of a request that is turned away, as waitress's errors are."""

    def __init__(
        self, status: int, reason: str, name: str, sentence: str, *headers: tuple[str, str]
    ) -> None:
        self.code = status
        self.reason = reason
        self.body = sentence
        self.name = name
        self.headers = headers


NO_THREAD = TurnedAway(
    503,
    "Service Unavailable",
    "no_thread",
    "the system gives the runtime no thread to answer with: its limit on processes is reached",
    ("Retry-After", "1"),
)
NO_TOKEN = TurnedAway(
    401,
    "Unauthorized",
    "unauthorized",
    "the request needs the runtime's token: Authorization: Bearer <token>",
    ("WWW-Authenticate", "Bearer"),
)
NOT_ENTERED = TurnedAway(
    303, "See Other", "unauthorized", "the dashboard wants a code first", ("Location", "/ui/enter")
)


class Door:
    """Knows the token, the browsers that have come in by a code, and who is loopback."""

    def __init__(self, token: str) -> None:
        if not token:
            raise ValueError("the control API needs a token that is not empty")
        self._token = token.encode()
        self._lock = threading.Lock()
        self._guests: Guests | None = None

    def guests(self) -> Guests:
        """Return the browsers' codes and sessions; there are none before somebody asks for one."""
        with self._lock:
            if self._guests is None:
                from bundlevisor.control.dashboard.guests import Guests

                self._guests = Guests()
            return self._guests

    def knows(self, request: HTTPRequestParser) -> bool:
        """Return whether a request carries the token, or a session that may ask for this."""
        headers = request.headers
        if carries(headers.get("AUTHORIZATION", ""), self._token):
            return True
        if self._guests is None or "COOKIE" not in headers:
            return False
        return self._guests.admits(request.command, request.path, headers)

    def refusal(self, request: HTTPRequestParser, trusted: bool) -> TurnedAway | None:
        """Return why a request is turned away: first its Host, then its Origin, then its token."""
        headers = request.headers
        foreign = refusal_of(headers.get("HOST", ""), headers.get("ORIGIN"))
        if foreign is not None:
            return TurnedAway(403, "Forbidden", *foreign)
        if trusted or is_open(request):
            return None
        opens = request.command in ("GET", "HEAD") and request.path in PAGE
        return NOT_ENTERED if opens else NO_TOKEN


def carries(header: str, token: bytes) -> bool:
    """Return whether an Authorization header carries ``token``; the comparison is constant-time.

    Bytes are compared, because a header may hold any of them and ``compare_digest`` raises
    TypeError on strings that are not ASCII.
    """
    scheme, _, credentials = header.partition(" ")
    given = credentials.strip(" ").encode("utf-8", "surrogateescape")
    return scheme.lower() == "bearer" and compare_digest(given, token)


def is_open(request: HTTPRequestParser) -> bool:
    """Return whether a request is for what needs no token, and is answered from memory."""
    return request.path == OPEN_PATH or request.path in ENTRANCE
