"""Who may ask: the Host and Origin of a request must be this machine.

A foreign web page reaches a loopback port by DNS rebinding (its own name, resolved to 127.0.0.1:
the Host header gives it away), by asking across origins, for which WebSockets need no permission
(the Origin header gives it away), or by what needs no Origin, such as ``<img src>`` and links: that
is given away by Sec-Fetch-Site, which browsers send and pages cannot set.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bundlevisor.manifest.format.loopback import is_loopback_authority

SHELL = "app"
"""The scheme that Electron's documentation gives to pages of a shell."""


def may_use_api(
    origins: Sequence[str], sites: Sequence[str], allowed: Collection[str] = ()
) -> bool:
    """Whether whoever sent these Origin and Sec-Fetch-Site headers may use the API.

    An Origin that may is enough; without one (images, links, and clients that are no browsers) the
    request must not come from a page of another site.
    """
    if origins:
        return all(is_allowed_origin(origin, allowed) for origin in origins)
    return all(site.strip().lower() != "cross-site" for site in sites)


def is_allowed_origin(origin: str, allowed: Collection[str]) -> bool:
    """Whether a page of this origin may use the API through the proxy.

    Web pages have ``http(s)`` origins, or ``null`` when they hide it (sandboxed frames, files);
    pages of a shell have its own scheme. But so have a browser's extensions, so that ``app://`` is
    the only other scheme that may without being named. ``allowed`` holds exact origins, and
    schemes as ``name://``.
    """
    if origin in allowed:
        return True
    scheme, separator, host = origin.partition("://")
    scheme = scheme.lower()
    if not separator:
        return False
    if scheme in ("http", "https"):
        return is_loopback_authority(host)
    return scheme == SHELL or f"{scheme}://" in allowed
