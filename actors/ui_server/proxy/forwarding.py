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
    A request has to have its Host.
    """
    kept = list(headers)
    named = {
        option.strip().lower()
        for name, value in kept
        if name.lower() == "connection"
        for option in value.split(",")
    }
    dropped = HOP_BY_HOP | (named - {"content-length", "host"})
    return [(name, value) for name, value in kept if name.lower() not in dropped]


def to_upstream(headers: Iterable[tuple[str, str]], *, client: str, websocket: bool) -> Pairs:
    """The request headers for the API.

    ``client`` is the address of who asked, added to the X-Forwarded-For that he may have sent.
    Expect is answered here. Host and Origin stay: servers compare them, as gorilla/websocket and
    Django do, and write redirects to the Host, which a page can only follow on its own port.
    """
    kept = list(headers)
    asked_for = values(kept, "host")
    chain = ", ".join([*values(kept, "x-forwarded-for"), client])
    replaced = {"expect", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"}
    passed = [(n, v) for n, v in end_to_end(kept) if n.lower() not in replaced]
    passed.append(("X-Forwarded-For", chain))
    passed += [("X-Forwarded-Host", host) for host in asked_for]
    passed.append(("X-Forwarded-Proto", "http"))
    return passed + upgrade() if websocket else passed
