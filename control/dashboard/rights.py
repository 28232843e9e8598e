"""What a browser that has come in may ask: what the page needs, and nothing else.

SameSite does not help against other pages of this machine: 127.0.0.1 is one site with all its
ports. So what the API answers wants the page's own key in a header, which no other origin can send
(a browser would ask us first, and is refused); what changes something wants our own origin, too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

READ = frozenset({"/status", "/readyz", "/timeline", "/events", "/logs/lines", "/validate"})
"""What the page reads: not ``/secrets``, ``/metrics``, ``/telemetry`` and what hands out codes."""
COMMANDS = re.compile(r"/services/[^/]+/(?:start|stop|restart)")
"""What the page has buttons for; there is none for ``/shutdown``."""
LEAVE = "/ui/leave"
FILES = "/ui/"
KEY = "BUNDLEVISOR_KEY"
"""The header with the page's half of a session, as waitress names it."""

Half = Literal["cookie", "both"]


def wanted(method: str, path: str, headers: Mapping[str, str]) -> Half | None:
    """Return what of a session a request must carry; None where none is enough."""
    reads = method in ("GET", "HEAD")
    if reads and path in READ:
        return "both" if _is_from_own_page(headers) else None
    if method == "POST" and (path == LEAVE or COMMANDS.fullmatch(path)):
        return "both" if is_own_origin(headers) and _is_from_own_page(headers) else None
    if reads and path.startswith(FILES):
        return "cookie" if _is_from_own_page(headers) or _is_opened(headers) else None
    return None


def is_own_origin(headers: Mapping[str, str]) -> bool:
    """Return whether a request names the origin that it was sent to, port and all, as its own."""
    origin, host = headers.get("ORIGIN"), headers.get("HOST")
    if not origin or not host:
        return False
    return origin.lower() == f"http://{host.lower()}"


def _is_from_own_page(headers: Mapping[str, str]) -> bool:
    """Return whether nothing says that the request is another origin's; older browsers are mute."""
    foreign = "ORIGIN" in headers and not is_own_origin(headers)
    return not foreign and headers.get("SEC_FETCH_SITE", "same-origin") == "same-origin"


def _is_opened(headers: Mapping[str, str]) -> bool:
    """Return whether a person opens the page in a tab, by whatever link; no frame, no script."""
    return (
        headers.get("SEC_FETCH_MODE") == "navigate"
        and headers.get("SEC_FETCH_DEST") == "document"
        and "ORIGIN" not in headers
    )
