"""Loopback names and addresses, told by their text: nothing is looked up."""

from __future__ import annotations

_V6 = ("::1", "0:0:0:0:0:0:0:1")


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


def _is_v4(name: str) -> bool:
    """Whether the text is an address of 127.0.0.0/8 in its usual form."""
    parts = name.split(".")
    return len(parts) == 4 and parts[0] == "127" and all(_is_octet(part) for part in parts)


def _is_octet(part: str) -> bool:
    return part.isascii() and part.isdecimal() and str(int(part[:4])) == part and int(part) < 256
