"""Answers as bytes: the head, and what frames the content that follows it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from functools import lru_cache

import msgspec

from bundlevisor.actors.loop.wall_time import http_date

SERVER = "bundlevisor"
WITHOUT_CONTENT = (204, 304)
"""Statuses after which no content follows, whatever the fields say."""

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CROWDED = (
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\n"
    b"Content-Length: 0\r\n\r\n"
)

REASONS = {
    200: "OK",
    206: "Partial Content",
    304: "Not Modified",
    308: "Permanent Redirect",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    412: "Precondition Failed",
    416: "Range Not Satisfiable",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
"""Of the answers that are our own."""


class Answer(msgspec.Struct, frozen=True):
    """An answer that is there as a whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    length: int | None = None
    """The Content-Length to give where that is not the body's: for HEAD."""
    final: bool = False
    """The connection ends with it."""


def whole(answer: Answer, *, version: str, keep_alive: bool, without_body: bool) -> bytes:
    """Return the bytes of an answer; ``without_body`` for HEAD."""
    length = ""
    if answer.status not in WITHOUT_CONTENT:
        size = len(answer.body) if answer.length is None else answer.length
        length = f"Content-Length: {size}\r\n"
    fields = _own_fields(tuple(answer.headers.items()))
    start = _head(answer.status, reason(answer.status), fields, length, version, keep_alive)
    return start if without_body else start + answer.body


def head(
    status: int, why: str, fields: Iterable[tuple[str, str]], version: str, *, keep_alive: bool
) -> bytes:
    """Return the bytes of a head; who answers and when is added where it is missing."""
    return _head(status, why, _fields(fields), "", version, keep_alive)


class Fields(msgspec.Struct, frozen=True):
    """Fields as text, and whether some are among them."""

    text: str
    named: frozenset[str]


def _fields(fields: Iterable[tuple[str, str]]) -> Fields:
    kept = list(fields)
    text = "".join(f"{name}: {value}\r\n" for name, value in kept)
    named = frozenset(name.lower() for name, _ in kept)
    if "server" not in named:
        text += f"Server: {SERVER}\r\n"
    return Fields(text, named & {"date", "connection"})


_own_fields = lru_cache(maxsize=256)(_fields)
"""Those of a file are the same for each request; those that an API writes are not kept."""


def _head(
    status: int, why: str, fields: Fields, more: str, version: str, keep_alive: bool
) -> bytes:
    if "date" not in fields.named:
        more += f"Date: {http_date(int(time.time()))}\r\n"
    if "connection" not in fields.named:
        if not keep_alive and version == "1.1":
            more += "Connection: close\r\n"
        elif keep_alive and version == "1.0":
            more += "Connection: keep-alive\r\n"
    return f"HTTP/{version} {status} {why}\r\n{fields.text}{more}\r\n".encode("latin-1")


def reason(status: int) -> str:
    """The words that belong to a status; nobody reads them but people."""
    return REASONS.get(status, "")
