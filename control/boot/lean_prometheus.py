"""prometheus_client without its servers and its client: /metrics needs only how to write text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundlevisor.control.boot.lean_imports import Late, StandingIn

if TYPE_CHECKING:
    from types import ModuleType


def import_prometheus() -> None:
    """Import it without ssl, http.server, urllib.request and email: 5 MiB.

    The classes of these that it inherits from are empty: nobody makes anything of them.
    """
    ssl = ("SSLContext", "TLSVersion", "PROTOCOL_TLS_SERVER", "PROTOCOL_TLS_CLIENT")
    request = ("BaseHandler", "HTTPHandler", "HTTPRedirectHandler", "HTTPSHandler", "Request")
    server = ("WSGIRequestHandler", "WSGIServer")
    stand_ins: dict[str, ModuleType | None] = {
        "http.server": _with_classes("http.server", "BaseHTTPRequestHandler"),
        "socketserver": _with_classes("socketserver", "ThreadingMixIn"),
        "ssl": _with_classes("ssl", *ssl),
        "urllib.error": _with_classes("urllib.error", "HTTPError"),
        "urllib.request": _with_classes("urllib.request", *request).with_functions("build_opener"),
        "wsgiref.simple_server": _with_classes("wsgiref.simple_server", *server).with_functions(
            "make_server"
        ),
    }
    with StandingIn(stand_ins):
        import prometheus_client  # noqa: F401


def _with_classes(module: str, *names: str) -> Late:
    return Late(module, **{name: type(name, (), {}) for name in names})
