"""What is wrong with a request that cannot be read, in sentences of ours.

Waitress's own quote the line that it cannot read, which may hold the token, and name its settings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bundlevisor.control.http.waitress_parts import RequestError

TIMED_OUT = 408
"""The one error of a request that waitress does not know."""
UNREADABLE = "the request is not valid HTTP/1.1"
BY_STATUS = {
    413: "the body is larger than 1 MiB",
    431: "the request line and the headers are larger than 16 KiB",
    500: "the request failed inside the runtime; its log has the details",
    501: "the Transfer-Encoding is not known here; chunked is",
}
BY_BEGINNING = {
    "HTTP message header invalid": "the request line does not end with CR LF",
    "Bare CR or LF": "a line ends with a lone CR or LF",
    "Invalid header": "a header is not of the form 'Name: value'",
    "Malformed header line": "the first header begins with a blank",
    "Start line is invalid": "the request line is not of the form 'GET /path HTTP/1.1'",
    "Malformed HTTP method": "the method is not written in capital letters",
    "Content-Length is invalid": "the Content-Length is not a number",
    "Bad URI": "the request target is not valid",
    "Chunk not": "a chunk of the body does not end where its size says",
    "Invalid chunk": "a chunk of the body does not begin with its size",
}
"""By how waitress begins its own."""


class Unreadable(str):
    """A sentence of ours about a request that cannot be read; shown as it is."""

    __slots__ = ()


def sentence(error: RequestError) -> str:
    """Return what is said about an error that a request was given while it was read."""
    if isinstance(error.body, Unreadable) or error.code == TIMED_OUT:
        return str(error.body)
    if error.code in BY_STATUS:
        return BY_STATUS[error.code]
    found = (ours for theirs, ours in BY_BEGINNING.items() if error.body.startswith(theirs))
    return next(found, UNREADABLE)


class HeadersTooLarge:
    """The error of a request with more headers or trailers than are taken, as waitress's are."""

    code = 431
    reason = "Request Header Fields Too Large"

    def __init__(self, sentence: str) -> None:
        self.body = Unreadable(sentence)
