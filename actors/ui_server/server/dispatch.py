"""The way of a request: is it from this machine, for the API or for a file?"""

from __future__ import annotations

from urllib.parse import unquote

from aiohttp.web_request import BaseRequest
from aiohttp.web_response import StreamResponse

from bundlevisor.actors.ui_server.config import UiConfig
from bundlevisor.actors.ui_server.files.site import Site
from bundlevisor.actors.ui_server.files.static import Static
from bundlevisor.actors.ui_server.http import plain_answers
from bundlevisor.actors.ui_server.http.negotiate import prefers_html
from bundlevisor.actors.ui_server.proxy.proxy import Proxy
from bundlevisor.actors.ui_server.server.connection import Connection
from bundlevisor.actors.ui_server.server.fair_turns import FairTurns
from bundlevisor.actors.ui_server.server.hosts import is_loopback_host, may_use_api

PROXIED = ("api", "ws")
"""First path segments that belong to the API."""


class Dispatch:
    """Answers every request of the server."""

    def __init__(self, config: UiConfig, site: Site, proxy: Proxy) -> None:
        self._config = config
        self._static = Static(site, config.content_security_policy)
        self._proxy = proxy
        self._turns = FairTurns()

    async def __call__(self, request: BaseRequest) -> StreamResponse:
        """Answer a request whose head is complete."""
        connection = request.protocol
        assert isinstance(connection, Connection)  # noqa: S101 - serving makes no other
        connection.begin_answer()
        try:
            if not (connection.is_new and self._asks_for_health(request)):
                await self._turns.wait()
            return await self._answer(request, connection)
        finally:
            connection.end_answer()

    async def _answer(self, request: BaseRequest, connection: Connection) -> StreamResponse:
        hosts = request.headers.getall("Host", [])
        if len(hosts) != 1 or not is_loopback_host(hosts[0]):
            return _foreign(request, "host", "Host must be a name or address of this machine")
        path = request.raw_path.partition("?")[0]
        if connection.is_over and not self._asks_for_health(request):
            return _crowded(request)
        if not path.startswith("/"):
            return plain_answers.explained(
                request, 400, "bad_request", "the path must begin with /"
            )
        if not is_proxied(path):
            return await self._static.answer(request, path)
        if self._config.proxied:
            return await self._pass_on(request)
        return await self._without_api(request, path)

    def _asks_for_health(self, request: BaseRequest) -> bool:
        """Whether it may be the health check, which is answered at once and in every crowd.

        Others who ask for its path cannot be told from it.
        """
        path = request.raw_path.partition("?")[0]
        return request.method == "GET" and path == self._config.health_path

    async def _without_api(self, request: BaseRequest, path: str) -> StreamResponse:
        """A file or, for a person, a route like any other; a program learns what is missing."""
        person = prefers_html(request.headers.get("Accept"))
        answer = await self._static.answer(request, path, routes=person)
        if answer.status not in (404, 405):
            return answer
        return plain_answers.explained(
            request,
            404,
            "no_api",
            f"this bundle has no API: '{self._config.service_id}' depends on no service with a "
            "port named 'api' or 'http'",
        )

    async def _pass_on(self, request: BaseRequest) -> StreamResponse:
        origins = request.headers.getall("Origin", [])
        sites = request.headers.getall("Sec-Fetch-Site", [])
        if not may_use_api(origins, sites, self._config.allowed_origins):
            return _foreign(request, "origin", "pages of another site may not use this API")
        if request.method in ("CONNECT", "TRACE"):
            return plain_answers.explained(
                request, 405, "method_not_allowed", f"{request.method} is not passed on"
            )
        return await self._proxy.forward(request)


def is_proxied(path: str) -> bool:
    """Whether a path (encoded, without query) is ``/api``, ``/ws`` or lies under one of them."""
    first = path[1:].partition("/")[0]
    return (unquote(first) if "%" in first else first) in PROXIED


def _crowded(request: BaseRequest) -> StreamResponse:
    sentence = "there are too many connections to this page's server"
    answer = plain_answers.explained(request, 503, "crowded", sentence, retry=True)
    answer.force_close()
    return answer


def _foreign(request: BaseRequest, code: str, sentence: str) -> StreamResponse:
    return plain_answers.explained(request, 403, f"foreign_{code}", sentence)
