"""Who may ask by name: the Host and Origin rules, against DNS rebinding and foreign web pages.

A page of another site can make a browser connect to the loopback address under that site's name
(CVE-2024-28224 is one such case); it cannot forge the Host header, which then names that site.
"""

from __future__ import annotations

from bundlevisor.manifest.format.loopback import is_loopback_authority

NOT_LOOPBACK = "the Host header must name a loopback address, such as 127.0.0.1"


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
