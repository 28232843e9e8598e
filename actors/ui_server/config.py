"""What a UI server serves: of the service, of its metadata in the manifest, and of this start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class UiConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What one UI server serves; ``root`` is an absolute folder, ``index`` a file in it.

    ``upstream`` is the port of the API on 127.0.0.1; without one the proxied paths answer 502
    until :meth:`UiProcess.set_upstream`. ``proxied`` is False for a bundle that has no API: then
    ``/api`` and ``/ws`` are paths of files and, for a person, of client-side routes.
    """

    service_id: str
    root: str
    port: int
    index: str = "index.html"
    host: str = "127.0.0.1"
    upstream: int | None = None
    proxied: bool = True
    content_security_policy: str = ""
    connect_timeout_ms: int = 5_000
    response_timeout_ms: int = 60_000
    """From the last byte of the request to the first of the API's answer."""
    allowed_origins: tuple[str, ...] = ()
    """Who else may use the API through the proxy: exact origins, and schemes as ``name://``."""
    max_connections: int = 1000
    """Those over it get one answer: 503, but for ``health_path``."""
    health_path: str = ""
    """The path (without query) that the runtime asks whether the server is well; empty: none."""


def configure(
    *,
    service_id: str,
    root: str,
    port: int,
    index: str = "index.html",
    upstream: int | None = None,
    proxied: bool = True,
    health_path: str = "",
    metadata: Mapping[str, Any],
) -> UiConfig:
    """Make the configuration from a service and its metadata; ValueError names a bad value.

    Read from metadata: ``content_security_policy`` (text), ``connect_timeout_ms`` and
    ``response_timeout_ms``, ``max_connections`` (integers from 1), ``allowed_origins`` (list of
    texts).
    """
    from bundlevisor.actors.ui_server.metadata import read

    settings = read(metadata)
    return UiConfig(
        service_id=service_id,
        root=root,
        port=port,
        index=index,
        upstream=upstream,
        proxied=proxied,
        content_security_policy=settings.content_security_policy,
        connect_timeout_ms=settings.connect_timeout_ms,
        response_timeout_ms=settings.response_timeout_ms,
        allowed_origins=tuple(settings.allowed_origins),
        max_connections=settings.max_connections,
        health_path=health_path,
    )
