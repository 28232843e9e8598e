"""The way to the API: requests and answers stream through, unread and undecoded."""

from __future__ import annotations

import math

from bundlevisor.actors.ui_server.config import UiConfig
from bundlevisor.actors.ui_server.http import plain_answers
from bundlevisor.actors.ui_server.http.answer import Answer
from bundlevisor.actors.ui_server.http.request import Request
from bundlevisor.actors.ui_server.http.upgrades import asks_for_websocket
from bundlevisor.actors.ui_server.proxy.api_connection import (
    ApiConnection,
    NoAnswerError,
    NotHttpError,
)
from bundlevisor.actors.ui_server.proxy.api_connections import ApiConnections
from bundlevisor.actors.ui_server.proxy.forwarding import end_to_end, to_upstream
from bundlevisor.actors.ui_server.proxy.tunnel import Tunnel
from bundlevisor.actors.ui_server.proxy.upload import Upload


class SlowClientError(TimeoutError):
    """The request's body did not arrive in time."""


class Proxy:
    """Passes requests to the API, wherever it listens at the moment."""

    def __init__(self, config: UiConfig) -> None:
        self.upstream = config.upstream
        self._response_seconds = config.response_timeout_ms / 1000
        self._connections = ApiConnections(config.connect_timeout_ms / 1000)
        self._tunnels: set[Tunnel] = set()

    async def forward(self, request: Request) -> Answer | None:
        """Answer with the API's answer; 502 while it is down, 504 when it does not answer.

        ConnectionResetError: whoever asks is to hear nothing.
        """
        port = self.upstream
        if port is None:
            return _down(request)
        try:
            connection, upload = await self._ask(request, port)
        except (NotHttpError, OSError) as error:
            return _excuse(request, error)
        try:
            if connection.upgraded:
                return await self._upgrade(request, connection)
            await _relay(request, connection)
        finally:
            if upload is not None and not upload.is_over:
                upload.stop()
                connection.abort()
            self._connections.give_back(port, connection)
        return None

    def going_away(self) -> None:
        """Say goodbye on every WebSocket."""
        for tunnel in self._tunnels:
            tunnel.going_away()

    def close(self) -> None:
        """Close the connections to the API."""
        self._connections.close()

    async def _ask(self, request: Request, port: int) -> tuple[ApiConnection, Upload | None]:
        """Send the request; return when the head of the answer is there.

        A kept-alive connection may have been ended by the API a moment ago. What is idempotent is
        asked once more then; whatever changes something is not asked twice, and gets a new
        connection for itself.
        """
        if request.body is None and request.method in ("GET", "HEAD") and not request.upgrade:
            while (kept := self._connections.kept(port)) is not None:
                try:
                    return await self._exchange(request, kept), None
                except NoAnswerError:
                    continue
        connection = await self._connections.new(port)
        if request.body is None:
            return await self._exchange(request, connection), None
        return await self._exchange_with_body(request, connection)

    def _patience(self, request: Request) -> float:
        """Events may be long in coming, and Node sends no head before the first of them."""
        return math.inf if _hears_events(request) else self._response_seconds

    async def _exchange(self, request: Request, connection: ApiConnection) -> ApiConnection:
        try:
            connection.ask(request.method, _head(request), self._patience(request))
            await connection.answered()
        except BaseException:
            connection.abort()
            raise
        return connection

    async def _exchange_with_body(
        self, request: Request, connection: ApiConnection
    ) -> tuple[ApiConnection, Upload]:
        assert request.body is not None  # noqa: S101 - or _exchange does it
        chunked = "transfer-encoding" in request.headers
        upload = Upload(request.body, connection, self._response_seconds, chunked=chunked)
        try:
            connection.ask(request.method, _head(request), self._response_seconds)
            upload.start()
            await connection.answered()
        except BaseException as error:
            connection.abort()
            upload.stop()
            if isinstance(error, TimeoutError) and upload.waiting:
                raise SlowClientError from None
            raise
        return connection, upload

    async def _upgrade(self, request: Request, connection: ApiConnection) -> Answer | None:
        if not (request.upgrade and asks_for_websocket("GET", connection.headers.items())):
            return _broken(request)
        tunnel = Tunnel(request, connection)
        self._tunnels.add(tunnel)
        try:
            await tunnel.run()
        finally:
            self._tunnels.discard(tunnel)
        return None


def _head(request: Request) -> bytes:
    fields = to_upstream(
        request.headers.items(), client=request.client.address, websocket=request.upgrade
    )
    if "transfer-encoding" in request.headers:
        fields.append(("Transfer-Encoding", "chunked"))
    lines = [f"{request.method} {request.target} HTTP/1.1", *(f"{n}: {v}" for n, v in fields)]
    return "\r\n".join([*lines, "\r\n"]).encode("latin-1")


async def _relay(request: Request, connection: ApiConnection) -> None:
    """Pass on each piece as it comes; ConnectionError cuts the answer off where the API did."""
    out = request.client.outgoing()
    out.begin(connection.status, connection.reason, end_to_end(connection.headers.items()))
    await out.write(connection.ready())
    if not connection.complete:
        await out.flush()
    try:
        while piece := await connection.read():
            await out.write(piece)
    except NotHttpError as error:
        raise ConnectionResetError("the API's answer broke off") from error
    await out.end()


def _excuse(request: Request, error: Exception) -> Answer:
    """Answer for an API that has not; TimeoutError is an OSError."""
    match error:
        case SlowClientError():
            return _slow_client(request)
        case TimeoutError():
            return _silent(request)
        case NotHttpError():
            return _broken(request)
        case _:
            return _down(request)


def _hears_events(request: Request) -> bool:
    """Whether an EventSource asks."""
    return request.method == "GET" and request.headers.get("accept") == "text/event-stream"


def _down(request: Request) -> Answer:
    """An EventSource tries again when it hears nothing, and never again after any error's status.

    https://html.spec.whatwg.org/multipage/server-sent-events.html#the-eventsource-interface
    """
    if _hears_events(request):
        raise ConnectionResetError("there is nobody whose events could be heard")
    return plain_answers.explained(
        request,
        502,
        "api_unavailable",
        "The application's API is not running at the moment; it may be starting again.",
        retry=True,
    )


def _broken(request: Request) -> Answer:
    return plain_answers.explained(
        request, 502, "api_broken", "The application's API gave an answer that is not HTTP."
    )


def _silent(request: Request) -> Answer:
    return plain_answers.explained(
        request, 504, "api_timeout", "The application's API did not answer in time."
    )


def _slow_client(request: Request) -> Answer:
    return plain_answers.explained(
        request, 408, "request_timeout", "The request came too slowly.", final=True
    )
