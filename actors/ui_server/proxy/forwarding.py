"""Which headers a proxy passes on, and which belong to one connection (RFC 9110, section 7.6.1)."""

from __future__ import annotations

from collections.abc import Iterable

Headers = list[tuple[str, str]]

HOP_BY_HOP = frozenset(
    (
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)


def end_to_end(headers: Iterable[tuple[str, str]]) -> Headers:
    """Leave out what belongs to one connection, the fields that Connection names included.

    A value that is not UTF-8 is taken for Latin-1 and leaves as UTF-8: aiohttp, which has read its
    bytes as lone surrogates, would leave them out.
    """
    kept = list(headers)
    dropped = HOP_BY_HOP | {
        option.strip().lower()
        for name, value in kept
        if name.lower() == "connection"
        for option in value.split(",")
    }
    return [(name, _writable(value)) for name, value in kept if name.lower() not in dropped]


def to_upstream(
    headers: Iterable[tuple[str, str]], *, upstream: str, client: str, websocket: bool
) -> Headers:
    """The request headers for the API.

    ``upstream`` becomes the Host; ``client`` is the address of who asked, added to the
    X-Forwarded-For that he may have sent. Expect is answered here, and Origin stays.
    """
    kept = list(headers)
    asked_for = _values(kept, "host")
    chain = ", ".join([*_values(kept, "x-forwarded-for"), client])
    replaced = {"host", "expect", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"}
    passed = [(n, v) for n, v in end_to_end(kept) if n.lower() not in replaced]
    passed.append(("Host", upstream))
    passed.append(("X-Forwarded-For", chain))
    passed.append(("X-Forwarded-Host", asked_for[0] if asked_for else upstream))
    passed.append(("X-Forwarded-Proto", "http"))
    return passed + upgrade() if websocket else passed


def upgrade() -> Headers:
    """The two fields that ask for, and grant, a WebSocket."""
    return [("Connection", "Upgrade"), ("Upgrade", "websocket")]


def asks_for_websocket(method: str, headers: Iterable[tuple[str, str]]) -> bool:
    """Whether a request wants to become a WebSocket; no other upgrade (``h2c``) is passed on."""
    kept = list(headers)
    options = [o.strip().lower() for v in _values(kept, "connection") for o in v.split(",")]
    protocols = [p.strip().lower() for v in _values(kept, "upgrade") for p in v.split(",")]
    return method == "GET" and "upgrade" in options and "websocket" in protocols


def _writable(value: str) -> str:
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogateescape").decode("latin-1")
    return value


def _values(headers: Headers, name: str) -> list[str]:
    return [value for key, value in headers if key.lower() == name]
