"""Loopback names and addresses, told by their text: nothing is looked up."""

from __future__ import annotations

from functools import lru_cache

from bundlevisor.manifest.format.document import LAST_PORT

_V6 = ("::1", "0:0:0:0:0:0:0:1")
_MAPPED = "::ffff:"
"""Before an address of IPv4 in one of IPv6 (RFC 4291, 2.5.5.2)."""


def address_of(host: str) -> str:
    """Return the address that a loopback host stands for; empty when it is none.

    ``localhost`` is 127.0.0.1: a listener there does not block ::1, and is what services are told.
    """
    name = host.strip().lower().removesuffix(".")
    if name == "localhost":
        return "127.0.0.1"
    if name.removeprefix("[").removesuffix("]") in _V6:
        return "::1"
    return name if _is_v4(name) else ""


def url_of(host: str, port: int) -> str:
    """Return the address of what is spoken to by HTTP there (RFC 3986, 3.2.2)."""
    bare = ":" in host and not host.startswith("[")
    return f"http://[{host}]:{port}" if bare else f"http://{host}:{port}"


@lru_cache(maxsize=64)
def is_loopback_authority(authority: str) -> bool:
    """Whether ``host[:port]``, of a Host or Origin header, names this machine, with any port.

    Upper case and one trailing dot mean the same name (RFC 9110, RFC 1034), and a port may be empty
    (RFC 3986, 3.2.3). Short and octal forms of addresses do not count: programs disagree on them.
    """
    colon = authority.find(":", authority.rfind("]") + 1)
    host, port = (authority, "") if colon < 0 else (authority[:colon], authority[colon + 1 :])
    if port and not _is_port(port):
        return False
    name = host.lower()
    if name.startswith("["):
        return name.endswith("]") and _is_v6(name[1:-1])
    name = name.removesuffix(".")
    return name == "localhost" or _is_v4(name)


def _is_v6(name: str) -> bool:
    return name in _V6 or (name.startswith(_MAPPED) and _is_v4(name.removeprefix(_MAPPED)))


def _is_v4(name: str) -> bool:
    """Whether the text is an address of 127.0.0.0/8 in its usual form."""
    parts = name.split(".")
    return len(parts) == 4 and parts[0] == "127" and all(_is_octet(part) for part in parts)


def _is_octet(part: str) -> bool:
    return part.isascii() and part.isdecimal() and str(int(part[:4])) == part and int(part) < 256


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 5 and int(text) <= LAST_PORT
