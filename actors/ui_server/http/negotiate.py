"""What the client prefers: Accept and Accept-Encoding (RFC 9110, section 12)."""

from __future__ import annotations

from collections.abc import Sequence

Preferences = dict[str, float]
"""Quality by lower-case name; 0 means: not acceptable."""


def parse(header: str) -> Preferences:
    """Read a list with q-values; an unreadable q counts as 0, other parameters are left out."""
    found: Preferences = {}
    for item in header.split(","):
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        if name:
            found[name] = _quality(parameters)
    return found


def choose_encoding(accept_encoding: str, available: Sequence[str]) -> str:
    """Return the content coding to send, ``""`` for the file as it is.

    ``available`` is in our order of preference, which decides between equal q-values; the file as
    it is wins only where the client says so (``identity;q=1, br;q=0.5``).
    """
    accepted = parse(accept_encoding)
    best, best_quality = "", accepted.get("identity", 0.0)
    for coding in available:
        quality = _encoding_quality(accepted, coding)
        better = quality > best_quality if best else quality >= best_quality
        if quality > 0 and better:
            best, best_quality = coding, quality
    return best


def accepts_html(accept: str | None) -> bool:
    """Whether an HTML page is an answer to this Accept header; a missing one accepts all."""
    return accept is None or not accept.strip() or media_quality(accept, "text/html") > 0


def prefers_html(accept: str | None) -> bool:
    """Whether a person reads the answer: HTML is asked for, and JSON not more than that."""
    if accept is None:
        return False
    named = parse(accept)
    html = max(named.get("text/html", 0.0), named.get("application/xhtml+xml", 0.0))
    return html > 0 and html >= named.get("application/json", 0.0)


def media_quality(accept: str, media_type: str) -> float:
    """The q-value of a media type: the most specific range that fits decides."""
    accepted = parse(accept)
    for fitting in (media_type, media_type.partition("/")[0] + "/*", "*/*"):
        if fitting in accepted:
            return accepted[fitting]
    return 0.0


def _encoding_quality(accepted: Preferences, coding: str) -> float:
    for name in (coding, f"x-{coding}", "*"):
        if name in accepted:
            return accepted[name]
    return 0.0


def _quality(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0
