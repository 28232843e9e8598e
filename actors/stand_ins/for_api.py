"""Imports the libraries of the API, beside other threads, without what they do not use yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bundlevisor.actors.stand_ins.for_run import LateLogger, system_name
from bundlevisor.actors.stand_ins.late import Late, StandingIn

if TYPE_CHECKING:
    from types import ModuleType


def import_falcon() -> None:
    """Import Falcon without its asynchronous half, its XML, cookie jars and pathlib.

    ``http.cookiejar`` (http.client, ssl, email and tempfile stand behind it) and ``pathlib`` are
    wanted for annotations only: these get the names of the classes, as forward references.
    """
    import xml.etree  # noqa: F401 - the parent of a module that is stood in for
    from typing import ForwardRef

    asyncio = Late("asyncio")
    asyncio.get_ready(Runner=lambda: LateRunner(asyncio))
    stand_ins = {
        "asyncio": asyncio.with_functions("create_task", "get_running_loop"),
        "http.cookiejar": Late("http.cookiejar", Cookie=ForwardRef("http.cookiejar.Cookie")),
        "pathlib": Late("pathlib", Path=ForwardRef("pathlib.Path")),
        "xml.etree.ElementTree": Late("xml.etree.ElementTree"),
    }
    with StandingIn(stand_ins):
        import falcon  # noqa: F401


def import_urls() -> None:
    """Import urllib.parse without ``ipaddress``, wanted for targets with an address of IPv6."""
    with StandingIn({"ipaddress": Late("ipaddress")}):
        import urllib.parse  # noqa: F401


def import_waitress() -> None:
    """Import waitress without logging, its command line (getopt, with gettext) and traces.

    ``calendar`` (locale and datetime stand behind it) is wanted for dates that nobody sends.
    :func:`import_urls` comes before.
    """
    logging = Late("logging")
    logging.get_ready(getLogger=LateLogger)
    stand_ins = {
        "calendar": Late("calendar"),
        "getopt": Late("getopt"),
        "logging": logging,
        "platform": Late("platform", system=system_name),
        "traceback": Late("traceback"),
    }
    with StandingIn(stand_ins):
        import waitress.server  # noqa: F401


def import_prometheus() -> None:
    """Import prometheus_client without ssl, http.server, urllib.request and email: 5 MiB.

    /metrics needs only how to write text. The classes of these that it inherits from are empty:
    nobody makes anything of them.
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


class LateRunner:
    """An asyncio.Runner that is made when it is first used; Falcon makes one as it is imported."""

    def __init__(self, asyncio: Late) -> None:
        self._asyncio = asyncio

    def __getattr__(self, attribute: str) -> Any:
        if "_real" not in vars(self):
            self._real = self._asyncio.become_real().Runner()
        return getattr(self._real, attribute)


def _with_classes(module: str, *names: str) -> Late:
    return Late(module, **{name: type(name, (), {}) for name in names})
