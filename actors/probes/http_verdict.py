"""What an HTTP answer says about a service's health. Pure; first used after the first spawn."""

from __future__ import annotations

import msgspec

BODY_LIMIT = 65536
"""How much of an answer is read: enough for any status document."""
DIGITS = 19
"""Of the longest number that is believed; int itself refuses thousands of them."""
INTERIM = (100, *range(102, 200))
"""Answers that another one follows; 101 is one that changes the protocol (RFC 9110, 15.2)."""
NO_BODY = (204, 205)
ILL = ("unhealthy", "failed", "error", "down")


def judge_response(received: bytes, *, ended: bool) -> str | None:
    """Say what an HTTP response means: None while more is needed, empty when the service is well.

    The rule is the spec's: any 2xx is healthy, except that a JSON object with ``status`` in
    (unhealthy, failed, error, down) or ``readiness: false`` is not. What precedes the answer (100
    Continue, 103 Early Hints) is none, and lines may end in a line feed alone (RFC 9112, 2.2).
    """
    body = received
    while True:
        head, body = _head(body)
        if head is None:
            return _judge_incomplete(received, ended=ended)
        line, _, headers = head.partition(b"\n")
        code = _status(line)
        if code not in INTERIM:
            break
    if code is None:
        return "the answer is not HTTP"
    if not 200 <= code < 300:
        return f"HTTP {code}"
    whole = b"" if code in NO_BODY else _whole_body(headers.lower(), body, ended=ended)
    return None if whole is None else judge_body(whole)


def _head(received: bytes) -> tuple[bytes | None, bytes]:
    """Return a head with line feeds as the ends of its lines, and the rest; None: it has no end."""
    ends = [
        (at, at + len(mark)) for mark in (b"\n\r\n", b"\n\n") if (at := received.find(mark)) >= 0
    ]
    if not ends:
        return None, received
    end, begin = min(ends)
    return received[:end].replace(b"\r\n", b"\n").removesuffix(b"\r"), received[begin:]


def _judge_incomplete(received: bytes, *, ended: bool) -> str | None:
    if not ended and len(received) <= BODY_LIMIT:
        return None
    return "the answer is not HTTP" if received else "the connection was closed unanswered"


def _status(line: bytes) -> int | None:
    words = line.split(b" ", 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not _is_number(words[1]):
        return None
    return int(words[1])


def _is_number(text: bytes) -> bool:
    return text.isdigit() and len(text) <= DIGITS


def judge_body(body: bytes) -> str:
    """Say what a 2xx answer's body means; empty when the service is well."""
    if not body.lstrip().startswith(b"{"):
        return ""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return ""
    status = document.get("status")
    if isinstance(status, str) and status.lower() in ILL:
        return f"its health says status {status!r}"
    if document.get("readiness") is False:
        return "its health says readiness false"
    return ""


def _value(headers: bytes, name: bytes) -> bytes:
    """Return the value of a header, of the last one of that name; empty without one."""
    _, found, rest = (b"\n" + headers).rpartition(b"\n" + name + b":")
    return rest.partition(b"\n")[0].strip() if found else b""


def _whole_body(headers: bytes, body: bytes, *, ended: bool) -> bytes | None:
    """Return the body once it is complete (or long enough), None while more is needed.

    ``headers`` are in small letters.
    """
    if ended or len(body) >= BODY_LIMIT:
        return _dechunked(body) if _is_chunked(headers) else body
    if _is_chunked(headers):
        return _dechunked(body) if b"0\r\n\r\n" in body[-7:] else None
    length = _value(headers, b"content-length")
    if _is_number(length) and len(body) >= int(length):
        return body[: int(length)]
    return None


def _is_chunked(headers: bytes) -> bool:
    return b"chunked" in _value(headers, b"transfer-encoding")


def _dechunked(body: bytes) -> bytes:
    parts = []
    while body:
        size, _, rest = body.partition(b"\r\n")
        try:
            length = int(size.split(b";")[0], 16)
        except ValueError:
            break
        if length <= 0:
            break
        parts.append(rest[:length])
        body = rest[length + 2 :]
    return b"".join(parts)
