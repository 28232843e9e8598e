"""Which headers a proxy passes on, and which belong to one connection (RFC 9110, section 7.6.1)."""

from __future__ import annotations

from collections.abc import Iterable

from bundlevisor.actors.ui_server.http.headers import Pairs
from bundlevisor.actors.ui_server.http.upgrades import upgrade, values

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


def end_to_end(headers: Iterable[tuple[str, str]]) -> Pairs:
    """Leave out what belongs to one connection, the fields that Connection names included.

    Whatever it says, a length stays with its content: without it that would be the next message.
    """
    kept = list(headers)
    named = {
        option.strip().lower()
        for name, value in kept
        if name.lower() == "connection"
        for option in value.split(",")
    }
    dropped = HOP_BY_HOP | (named - {"content-length"})
    return [(name, value) for name, value in kept if name.lower() not in dropped]


def to_upstream(
    headers: Iterable[tuple[str, str]], *, upstream: str, client: str, websocket: bool
) -> Pairs:
    """The request headers for the API.

    ``upstream`` becomes the Host; ``client`` is the address of who asked, added to the
    X-Forwarded-For that he may have sent. Expect is answered here, and Origin stays.
    """
    kept = list(headers)
    asked_for = values(kept, "host")
    chain = ", ".join([*values(kept, "x-forwarded-for"), client])
    replaced = {"host", "expect", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"}
    passed = [(n, v) for n, v in end_to_end(kept) if n.lower() not in replaced]
    passed.append(("Host", upstream))
    passed.append(("X-Forwarded-For", chain))
    passed.append(("X-Forwarded-Host", asked_for[0] if asked_for else upstream))
    passed.append(("X-Forwarded-Proto", "http"))
    return passed + upgrade() if websocket else passed
