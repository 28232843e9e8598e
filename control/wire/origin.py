"""Who may ask by name: the Host and Origin rules, against DNS rebinding and foreign web pages.

A page of another site can make a browser connect to the loopback address under that site's name
(CVE-2024-28224 is one such case); it cannot forge the Host header, which then names that site.
"""

from __future__ import annotations

import socket

LONGEST_PORT = 5
NOT_LOOPBACK = "the Host header must name a loopback address, such as 127.0.0.1"
LOOPBACK_V6 = socket.inet_pton(socket.AF_INET6, "::1")
MAPPED_V4 = socket.inet_pton(socket.AF_INET6, "::ffff:127.0.0.0")[:13]


def is_loopback_authority(authority: str) -> bool:
    """Return whether ``host[:port]`` is ``localhost``, 127.0.0.0/8 or ``[::1]``, with any port.

    Upper case and one trailing dot mean the same name (RFC 9110, RFC 1034); short and octal forms
    of addresses do not, because programs disagree about them.
    """
    if not (authority.isascii() and authority.isprintable()):
        return False
    colon = authority.find(":", authority.rfind("]") + 1)
    host, port = (authority, "") if colon < 0 else (authority[:colon], authority[colon + 1 :])
    if len(port) > LONGEST_PORT or not (port.isdigit() or not port):
        return False
    if host.startswith("["):
        return host.endswith("]") and _is_loopback_v6(host[1:-1])
    name = host.lower().removesuffix(".")
    return name == "localhost" or _is_loopback_v4(name)


def is_loopback_origin(origin: str) -> bool:
    """Return whether an Origin header names a loopback origin; ``null`` does not."""
    scheme, separator, authority = origin.partition("://")
    return (
        bool(separator) and scheme.lower() in ("http", "https") and is_loopback_authority(authority)
    )


def refusal_of(host: str, origin: str | None) -> tuple[str, str] | None:
    """Return the code and the sentence for a foreign Host or Origin; None where both are ours."""
    if not is_loopback_authority(host):
        return "forbidden_host", NOT_LOOPBACK
    if origin is not None and not is_loopback_origin(origin):
        return "forbidden_origin", "the Origin header must name a loopback origin"
    return None


def _is_loopback_v4(name: str) -> bool:
    try:
        return socket.inet_pton(socket.AF_INET, name)[0] == 127
    except OSError:
        return False


def _is_loopback_v6(text: str) -> bool:
    try:
        packed = socket.inet_pton(socket.AF_INET6, text)
    except OSError:
        return False
    return packed == LOOPBACK_V6 or packed[:13] == MAPPED_V4
