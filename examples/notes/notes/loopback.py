"""JSON over HTTP on 127.0.0.1: what the store and the API have in common."""

from __future__ import annotations

import json
import re
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from notes.program import say

BODY_LIMIT = 1 << 20
LOOPBACK_NAMES = {"127.0.0.1", "localhost", "::1"}


class Request(NamedTuple):
    """What a route is given; ``parts`` are the groups of its pattern."""

    parts: tuple[str, ...]
    query: dict[str, str]
    headers: Any
    body: Any


class Answer(NamedTuple):
    """What a route gives back; ``then`` is called when it is sent, and ends the connection."""

    status: int
    content: Any = None
    headers: dict[str, str] = {}  # noqa: RUF012  # never changed
    then: Callable[[Handler], None] | None = None


Act = Callable[[Request], Answer]


class Refusal(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Route(NamedTuple):
    """One method on the paths that match the whole of ``pattern``."""

    method: str
    pattern: str
    act: Act


class Server(socketserver.ThreadingTCPServer):
    """A thread for each connection; open ones do not hold a stop up."""

    allow_reuse_address = sys.platform != "win32"  # there it would let another process in
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, routes: list[Route]) -> None:
        self.routes = routes
        super().__init__(("127.0.0.1", port), Handler)

    def stop(self) -> None:
        """Leave ``serve_forever`` soon; a connection wakes it."""
        threading.Thread(target=self.shutdown, daemon=True).start()
        socket.create_connection(("127.0.0.1", self.server_address[1]), timeout=1).close()


class Handler(BaseHTTPRequestHandler):
    """Reads one request after the other from a connection, and finds its route."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave together

    def do_GET(self) -> None:
        began = time.monotonic()
        answer = self._answer()
        self._send(answer)
        if self.path != "/health":
            took = (time.monotonic() - began) * 1000
            say(f"{self.command} {self.path} {answer.status} {took:.0f} ms")
        if answer.then:
            self.close_connection = True
            answer.then(self)

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815  # the names that http.server looks for

    def _answer(self) -> Answer:
        try:
            check_origin(self.headers)
            return self._dispatch()
        except Refusal as refusal:
            self.close_connection = True  # its body may not have been read
            return Answer(refusal.status, {"error": str(refusal)})

    def _dispatch(self) -> Answer:
        url = urlsplit(self.path)
        allowed = []
        for method, pattern, act in self.server.routes:
            if match := re.fullmatch(pattern, url.path):
                if method == self.command:
                    query = dict(parse_qsl(url.query))
                    return act(Request(match.groups(), query, self.headers, self._body()))
                allowed.append(method)
        if allowed:
            raise Refusal(405, f"{url.path} takes {' or '.join(allowed)}")
        raise Refusal(404, f"there is nothing at {url.path}")

    def _body(self) -> Any:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            raw = self._chunks()
        else:
            raw = self.rfile.read(length(self.headers.get("Content-Length") or "0", 10))
        try:
            return json.loads(raw) if raw else None
        except ValueError:
            raise Refusal(400, "the body is not JSON") from None

    def _chunks(self) -> bytes:
        raw = b""
        while size := length(self.rfile.readline(64).split(b";")[0].decode("latin-1"), 16):
            if len(raw) + size > BODY_LIMIT:
                raise Refusal(413, f"a body has at most {BODY_LIMIT} bytes")
            raw += self.rfile.read(size)
            self.rfile.readline(64)
        self.rfile.readline(64)
        return raw

    def _send(self, answer: Answer) -> None:
        content = b"" if answer.content is None else encoded(answer.content)
        self.send_response(answer.status)
        self.send_header("Cache-Control", "no-store")
        if answer.status not in (101, 204):
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        """Say nothing: a request is logged when it is answered."""


def encoded(content: Any) -> bytes:
    """Return the content as JSON in UTF-8."""
    return json.dumps(content, ensure_ascii=False).encode()


def length(digits: str, base: int) -> int:
    """Return the length of a body or chunk, if it is one that we take."""
    try:
        size = int(digits, base)
    except ValueError:
        raise Refusal(400, f"not a length: {digits!r}") from None
    if not 0 <= size <= BODY_LIMIT:
        raise Refusal(413, f"a body has at most {BODY_LIMIT} bytes")
    return size


def check_origin(headers: Any) -> None:
    """Refuse what a foreign web page sends: by its Origin, or by a name that it let point here."""
    for url in ("//" + headers.get("Host", "localhost"), headers.get("Origin", "//localhost")):
        if urlsplit(url).hostname not in LOOPBACK_NAMES:
            raise Refusal(403, f"not a loopback address: {url}")
