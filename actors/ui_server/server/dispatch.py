"""The way of a request: is it from this machine, for the API or for a file?"""

from __future__ import annotations

from bundlevisor.actors.ui_server.config import UiConfig
from bundlevisor.actors.ui_server.files import url_path
from bundlevisor.actors.ui_server.files.site import Site
from bundlevisor.actors.ui_server.files.static import Static
from bundlevisor.actors.ui_server.http import plain_answers
from bundlevisor.actors.ui_server.http.answer import Answer
from bundlevisor.actors.ui_server.http.negotiate import prefers_html
from bundlevisor.actors.ui_server.http.request import Request
from bundlevisor.actors.ui_server.proxy.proxy import Proxy
from bundlevisor.actors.ui_server.server.faults import traced
from bundlevisor.actors.ui_server.server.hosts import may_use_api
from bundlevisor.actors.ui_server.server.page_log import PageLog
from bundlevisor.actors.ui_server.server.served import Answered
from bundlevisor.manifest.format.loopback import is_loopback_authority

PROXIED = ("api", "ws")
"""First path segments that belong to the API."""


class Dispatch:
    """Answers every request of one port."""

    def __init__(self, config: UiConfig, site: Site, proxy: Proxy) -> None:
        self._config = config
        self._static = Static(site, config.content_security_policy)
        self._proxy = proxy

    def answer(self, request: Request, *, over: bool) -> Answered:
        """Answer a request whose head is complete; ``over``: its connection is one too many."""
        if refusal := _refusal_of_host(request):
            return refusal
        path = request.path
        if over and not self.asks_for_health(request):
            return _crowded(request)
        if not path.startswith("/"):
            return plain_answers.explained(
                request, 400, "bad_request", "the path must begin with /"
            )
        if not is_proxied(path):
            return self._static.answer(request, path)
        if self._config.proxied:
            return self._pass_on(request)
        return self._without_api(request, path)

    def asks_for_health(self, request: Request) -> bool:
        """Whether it may be the health check, which is answered at once however many others ask.

        Others who ask for its path cannot be told from it.
        """
        return request.method == "GET" and request.path == self._config.health_path

    def _without_api(self, request: Request, path: str) -> Answered:
        """A file or, for a person, a route like any other; a program learns what is missing."""
        person = prefers_html(request.headers.get("accept"))
        answer = self._static.answer(request, path, routes=person)
        if not isinstance(answer, Answer) or answer.status not in (404, 405):
            return answer
        return plain_answers.explained(
            request,
            404,
            "no_api",
            f"this bundle has no API: '{self._config.service_id}' depends on no service with a "
            "port named 'api' or 'http'",
        )

    def _pass_on(self, request: Request) -> Answered:
        headers = request.headers
        origins, sites = headers.all("origin"), headers.all("sec-fetch-site")
        if not may_use_api(origins, sites, self._config.allowed_origins):
            return _foreign(request, "origin", "pages of another site may not use this API")
        if request.method in ("CONNECT", "TRACE"):
            return plain_answers.explained(
                request, 405, "method_not_allowed", f"{request.method} is not passed on"
            )
        return self._proxy.forward(request)


def is_proxied(path: str) -> bool:
    """Whether a path (encoded, without query) is ``/api``, ``/ws`` or lies under one of them."""
    first = path[1:].partition("/")[0]
    return url_path.decode(first) in PROXIED


def _refusal_of_host(request: Request) -> Answer | None:
    """RFC 9112, section 3.2: HTTP/1.1 has one Host; ours must be this machine."""
    hosts = request.headers.all("host")
    if len(hosts) != 1 and request.version == "1.1":
        sentence = "a request has one Host"
        return plain_answers.explained(request, 400, "bad_request", sentence, final=True)
    if len(hosts) != 1 or not is_loopback_authority(hosts[0]):
        return _foreign(request, "host", "Host must be a name or address of this machine")
    return None


def _crowded(request: Request) -> Answer:
    sentence = "there are too many connections to this page's server"
    return plain_answers.explained(request, 503, "crowded", sentence, retry=True, final=True)


def _foreign(request: Request, code: str, sentence: str) -> Answer:
    return plain_answers.explained(request, 403, f"foreign_{code}", sentence)


def failed(request: Request, error: Exception, log: PageLog) -> Answer:
    """Answer for a fault of ours: its details are in the page's log, and not in the answer."""
    log.say(f"cannot answer {request.method} {request.target}\n{traced(error)}")
    return plain_answers.failed()
