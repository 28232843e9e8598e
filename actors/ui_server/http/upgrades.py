"""Which requests want to leave HTTP, and how that is granted (RFC 9110, section 7.8)."""

from __future__ import annotations

from collections.abc import Iterable

from bundlevisor.actors.ui_server.http.headers import Pairs


def upgrade() -> Pairs:
    """The two fields that ask for, and grant, a WebSocket."""
    return [("Connection", "Upgrade"), ("Upgrade", "websocket")]


def asks_for_websocket(method: str, headers: Iterable[tuple[str, str]]) -> bool:
    """Whether a request wants to become a WebSocket; no other upgrade (``h2c``) is passed on."""
    kept = list(headers)
    options = [o.strip().lower() for v in values(kept, "connection") for o in v.split(",")]
    protocols = [p.strip().lower() for v in values(kept, "upgrade") for p in v.split(",")]
    return method == "GET" and "upgrade" in options and "websocket" in protocols


def values(headers: Pairs, name: str) -> list[str]:
    """Every value of a field; ``name`` in lower case."""
    return [value for key, value in headers if key.lower() == name]
