"""Answers as bytes: the head, and what frames the content that follows it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

import msgspec

from bundlevisor.actors.ui_server.http.dates import http_date

SERVER = "bundlevisor"
WITHOUT_CONTENT = (204, 304)
"""Statuses after which no content follows, whatever the fields say."""

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
    fields = list(answer.headers.items())
    if answer.status not in WITHOUT_CONTENT:
        length = len(answer.body) if answer.length is None else answer.length
        fields.append(("Content-Length", str(length)))
    start = head(answer.status, reason(answer.status), fields, version, keep_alive=keep_alive)
    return start if without_body else start + answer.body


def head(
    status: int, why: str, fields: Iterable[tuple[str, str]], version: str, *, keep_alive: bool
) -> bytes:
    """Return the bytes of a head; who answers and when is added where it is missing."""
    lines = [f"HTTP/{version} {status} {why}"]
    named = {"date": False, "server": False, "connection": False}
    for name, value in fields:
        lines.append(f"{name}: {value}")
        if (lower := name.lower()) in named:
            named[lower] = True
    if not named["date"]:
        lines.append(f"Date: {http_date(int(time.time()))}")
    if not named["server"]:
        lines.append(f"Server: {SERVER}")
    if not named["connection"]:
        if not keep_alive and version == "1.1":
            lines.append("Connection: close")
        elif keep_alive and version == "1.0":
            lines.append("Connection: keep-alive")
    lines.append("\r\n")
    return "\r\n".join(lines).encode()


def reason(status: int) -> str:
    """The words that belong to a status; nobody reads them but people."""
    return REASONS.get(status, "")
