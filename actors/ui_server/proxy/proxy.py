"""The way to the API: requests and answers stream through, unread and undecoded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from aiohttp import (
    ClientError,
    ClientResponse,
    ClientResponseError,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import StreamResponse
from yarl import URL

from bundlevisor.actors.ui_server.config import UiConfig
from bundlevisor.actors.ui_server.http import plain_answers
from bundlevisor.actors.ui_server.proxy.forwarding import (
    asks_for_websocket,
    end_to_end,
    to_upstream,
)
from bundlevisor.actors.ui_server.proxy.tunnel import Tunnel

READ_BUFFER = 64 * 1024
LONGEST_FIELD = 64 * 1024
"""Bytes in one header of the API's answer."""
KEPT_ALIVE = 4.0
"""Seconds that an idle connection to the API is kept: below the 5 s after which Node ends one."""
NOT_OURS = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
"""Headers that the client library would add."""


class SlowClientError(TimeoutError):
    """The request's body did not arrive in time."""


class Proxy:
    """Passes requests to the API, wherever it listens at the moment."""

    def __init__(self, config: UiConfig) -> None:
        self.upstream = config.upstream
        self._connect_seconds = config.connect_timeout_ms / 1000
        self._response_seconds = config.response_timeout_ms / 1000
        self._sessions: dict[bool, ClientSession] = {}
        self._tunnels: set[Tunnel] = set()

    async def forward(self, request: BaseRequest) -> StreamResponse:
        """Answer with the API's answer; 502 while it is down, 504 when it does not answer."""
        port = self.upstream
        if port is None:
            return _down(request)
        websocket = asks_for_websocket(request.method, request.headers.items())
        try:
            answer = await self._ask(request, port, websocket=websocket)
        except (ClientError, OSError, ValueError) as error:
            return _excuse(request, error)
        try:
            if answer.status == 101:
                return await self._tunnel(request, answer)
            return await _relay(request, answer)
        finally:
            answer.close()

    def going_away(self) -> None:
        """Say goodbye on every WebSocket."""
        for tunnel in self._tunnels:
            tunnel.going_away()

    async def close(self) -> None:
        """Close the connections to the API."""
        for session in self._sessions.values():
            await session.close()

    async def _ask(self, request: BaseRequest, port: int, *, websocket: bool) -> ClientResponse:
        """Send the request; return when the head of the answer is there."""
        authority = f"127.0.0.1:{port}"
        headers = to_upstream(
            request.headers.items(),
            upstream=authority,
            client=request.remote or "127.0.0.1",
            websocket=websocket,
        )
        upload = Upload(request, self._response_seconds) if request.body_exists else None
        session = self._session(reusing=upload is None and request.method in ("GET", "HEAD"))
        try:
            async with asyncio.timeout(self._response_seconds) as patience:
                return await session.request(
                    request.method,
                    URL(f"http://{authority}{request.raw_path}", encoded=True),
                    headers=headers,
                    data=upload and upload.pieces(patience),
                    allow_redirects=False,
                )
        except TimeoutError:
            if upload is not None and upload.waiting:
                raise SlowClientError from None
            raise

    def _session(self, *, reusing: bool) -> ClientSession:
        """Return the client, made on the first call.

        A kept-alive connection may have been closed by the API a moment ago. The client library
        asks once more then, but only what is idempotent; whatever changes something is not asked
        twice, and gets a new connection for itself.
        """
        if reusing not in self._sessions:
            connector = (
                TCPConnector(limit=0, keepalive_timeout=KEPT_ALIVE)
                if reusing
                else TCPConnector(limit=0, force_close=True)
            )
            self._sessions[reusing] = ClientSession(
                connector=connector,
                cookie_jar=DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=NOT_OURS,
                timeout=ClientTimeout(total=None, sock_connect=self._connect_seconds),
                read_bufsize=READ_BUFFER,
                max_line_size=LONGEST_FIELD,
                max_field_size=LONGEST_FIELD,
            )
        return self._sessions[reusing]

    async def _tunnel(self, request: BaseRequest, answer: ClientResponse) -> StreamResponse:
        tunnel = Tunnel(request, answer)
        self._tunnels.add(tunnel)
        try:
            return await tunnel.run()
        finally:
            self._tunnels.discard(tunnel)


class Upload:
    """A request's body on its way to the API; each piece renews the patience of the request."""

    def __init__(self, request: BaseRequest, seconds: float) -> None:
        self._request = request
        self._seconds = seconds
        self.waiting = False
        """The client is to send the next piece."""

    async def pieces(self, patience: asyncio.Timeout) -> AsyncIterator[bytes]:
        """Yield the body as it comes, which answers ``Expect: 100-continue``."""
        await self._continue()
        while True:
            self.waiting = True
            piece = await self._request.content.readany()
            self.waiting = False
            if not patience.expired():
                self._renew(patience)
            if not piece:
                return
            yield piece

    async def _continue(self) -> None:
        if self._request.headers.get("Expect", "").lower() == "100-continue":
            await self._request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._request.writer.output_size = 0

    def _renew(self, patience: asyncio.Timeout) -> None:
        try:
            patience.reschedule(asyncio.get_running_loop().time() + self._seconds)
        except RuntimeError:
            return  # the answer came before the end of the request


class Relayed(StreamResponse):
    """An answer of the API: no header is added to it that it did not have."""

    async def _prepare_headers(self) -> None:
        untyped = "Content-Type" not in self.headers
        self.headers.setdefault("Server", plain_answers.SERVER)
        await super()._prepare_headers()
        if untyped:
            self.headers.pop("Content-Type", None)


async def _relay(request: BaseRequest, answer: ClientResponse) -> StreamResponse:
    """Pass on each piece as it comes; ConnectionError cuts the answer off where the API did."""
    response = Relayed(
        status=answer.status, reason=answer.reason, headers=end_to_end(answer.headers.items())
    )
    await response.prepare(request)
    try:
        async for piece in answer.content.iter_any():
            await response.write(piece)
    except ClientError as error:
        raise ConnectionResetError("the API ended its answer early") from error
    return response


def _excuse(request: BaseRequest, error: Exception) -> StreamResponse:
    """Answer for an API that has not; TimeoutError is an OSError."""
    match error:
        case SlowClientError():
            return _slow_client(request)
        case TimeoutError():
            return _silent(request)
        case ClientResponseError() | ValueError():
            return _broken(request)
        case _:
            return _down(request)


def _down(request: BaseRequest) -> StreamResponse:
    return plain_answers.explained(
        request,
        502,
        "api_unavailable",
        "The application's API is not running at the moment; it may be starting again.",
        retry=True,
    )


def _broken(request: BaseRequest) -> StreamResponse:
    return plain_answers.explained(
        request, 502, "api_broken", "The application's API gave an answer that is not HTTP."
    )


def _silent(request: BaseRequest) -> StreamResponse:
    return plain_answers.explained(
        request, 504, "api_timeout", "The application's API did not answer in time."
    )


def _slow_client(request: BaseRequest) -> StreamResponse:
    answer = plain_answers.explained(
        request, 408, "request_timeout", "The request came too slowly."
    )
    answer.force_close()
    return answer
