"""The dashboard's cookie, as it is sent and as it comes back."""

from __future__ import annotations

PREFIX = "bundlevisor_"
MOST = 4
"""Cookies of our name that are looked at in one request: others may have set some of that name."""


def name(host: str) -> str:
    """Return the cookie's name for a Host header: browsers do not keep ports' cookies apart."""
    port = host.rpartition(":")[2]
    return PREFIX + (port if port.isascii() and port.isdigit() else "80")


def made(host: str, value: str) -> str:
    """Return the Set-Cookie header of a session."""
    return f"{name(host)}={value}; Path=/; HttpOnly; SameSite=Strict"


def ended(host: str) -> str:
    """Return the Set-Cookie header that takes the cookie away."""
    return f"{name(host)}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"


def values(host: str, header: str) -> list[str]:
    """Return what a Cookie header has under our name, as far as it can be one of ours."""
    wanted = name(host)
    pairs = (pair.strip().partition("=") for pair in header.split(";"))
    found = (value for key, _, value in pairs if key == wanted and value)
    return [value for value in found if value.isascii() and value.isprintable()][:MOST]
