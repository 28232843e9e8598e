"""Who may ask: the Host and Origin of a request must be this machine.

A foreign web page reaches a loopback port by DNS rebinding (its own name, resolved to 127.0.0.1:
the Host header gives it away) or by asking across origins, for which WebSockets need no permission
(the Origin header gives it away).
"""

from __future__ import annotations

from collections.abc import Container
from functools import lru_cache


@lru_cache(maxsize=64)
def is_loopback_host(value: str) -> bool:
    """Whether a Host header (``name``, ``name:port``, ``[::1]:port``) names this machine."""
    if value.startswith("["):
        address, bracket, rest = value[1:].partition("]")
        return bool(bracket) and address == "::1" and _is_port_part(rest)
    name, colon, port = value.partition(":")
    return (_is_localhost(name) or _is_loopback_v4(name)) and _is_port_part(colon + port)


def is_allowed_origin(origin: str, allowed: Container[str]) -> bool:
    """Whether a page of this origin may use the API through the proxy.

    Web pages have ``http(s)`` origins, or ``null`` when they hide it (sandboxed frames, files);
    other schemes belong to the shell that embeds the bundle (``app://``) and cannot be forged by
    a page. ``allowed`` holds exact origins.
    """
    if origin in allowed:
        return True
    if origin == "null":
        return False
    scheme, separator, host = origin.partition("://")
    if not separator:
        return False
    return scheme.lower() not in ("http", "https") or is_loopback_host(host)


def _is_localhost(name: str) -> bool:
    return name.lower().removesuffix(".") == "localhost"


def _is_loopback_v4(name: str) -> bool:
    octets = name.split(".")
    return (
        len(octets) == 4
        and octets[0] == "127"
        and all(_is_decimal(octet) and int(octet) <= 255 for octet in octets)
    )


def _is_port_part(text: str) -> bool:
    return not text or (text[0] == ":" and _is_decimal(text[1:]) and int(text[1:]) <= 65535)


def _is_decimal(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5
