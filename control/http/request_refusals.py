"""What is wrong with a request that cannot be read, in sentences of ours.

Waitress's own quote the line that it cannot read, which may hold the token, and name its settings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundlevisor.control.http.request_faults import UNREADABLE
from bundlevisor.control.wire.errors import FAILED, TOO_LARGE

if TYPE_CHECKING:
    from bundlevisor.control.http.waitress_parts import RequestError

TIMED_OUT = 408
"""The one error of a request that waitress does not know."""
BY_STATUS = {
    413: TOO_LARGE,
    431: "the request line and the headers are larger than 16 KiB",
    500: FAILED,
    501: "the Transfer-Encoding is not known here; chunked is",
}
NO_CHUNK_END = "a chunk of the body does not end where its size says"
NO_CHUNK = "a chunk of the body does not begin with its size"


class Unreadable(str):
    """A sentence of ours about a request that cannot be read; shown as it is."""

    __slots__ = ()


def sentence(error: RequestError) -> str:
    """Return what is said about an error that a request was given while it was read."""
    if isinstance(error.body, Unreadable) or error.code == TIMED_OUT:
        return str(error.body)
    return BY_STATUS.get(error.code, UNREADABLE)


class HeadersTooLarge:
    """The error of a request with more headers or trailers than are taken, as waitress's are."""

    code = 431
    reason = "Request Header Fields Too Large"

    def __init__(self, sentence: str) -> None:
        self.body = Unreadable(sentence)


class BadBody:
    """The error of a body in chunks that cannot be read, as waitress's are."""

    code = 400
    reason = "Bad Request"

    def __init__(self, ended: bool) -> None:
        self.body = Unreadable(NO_CHUNK if ended else NO_CHUNK_END)
