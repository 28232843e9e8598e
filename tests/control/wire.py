"""Talking to the control API: requests by http.client, and raw bytes where that is too polite."""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any

from tests.waiting import WITHIN

TOKEN = "the-token_of-these.tests-0123456789abcdefghij"
"""The token of the runtime in memory. It stands for that of any: :class:`Api` puts it in."""
STREAM = "text/event-stream"
HEAD = b"Host: 127.0.0.1\r\nAuthorization: Bearer " + TOKEN.encode() + b"\r\n"


class Reply:
    def __init__(self, response: http.client.HTTPResponse, body: bytes) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = body

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def refusal(self) -> tuple[int, str]:
        """The status and the code of an error; fails when the body is no error."""
        document = self.json()
        assert isinstance(document["error"], str)
        assert self.headers["Content-Type"] == "application/json"
        return self.status, document["code"]


class Streamed:
    """A response that is read bit by bit."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self._connection = connection
        self._response = connection.getresponse()
        self.status = self._response.status
        self.headers = self._response.headers
        self.read, self.readline = self._response.read, self._response.readline

    def close(self) -> None:
        self._response.close()
        self._connection.close()


def frame(response: Streamed) -> dict[str, str]:
    """The next Server-Sent Event, comments left out."""
    fields: dict[str, str] = {}
    while line := response.readline().decode().rstrip("\n"):
        name, _, value = line.partition(": ")
        fields[name] = value
    return fields


class Client(socket.socket):
    """A connection that sends the runtime's token where TOKEN is written."""

    token = TOKEN

    def sendall(self, data: bytes) -> None:  # type: ignore[override]
        super().sendall(data.replace(TOKEN.encode(), self.token.encode()))


class Api:
    def __init__(self, port: int, token: str = TOKEN) -> None:
        self.port = port
        self.token = token
        self.opened: list[Streamed] = []

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | str | None = None,
        token: str | None = TOKEN,
        timeout: float = 20,
        **headers: str,
    ) -> Reply:
        """One request on a connection of its own; ``Content_Type`` names a header."""
        sent = {name.replace("_", "-"): self._meant(value) for name, value in headers.items()}
        if token is not None:
            sent.setdefault("Authorization", f"Bearer {self._meant(token)}")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, self._meant(path), body, sent)
            response = connection.getresponse()
            return Reply(response, response.read())
        finally:
            connection.close()

    def get(self, path: str, **keywords: Any) -> Reply:
        return self.ask("GET", path, **keywords)

    def post(self, path: str, document: object = None, **keywords: Any) -> Reply:
        body = None if document is None else json.dumps(document)
        keywords.setdefault("Content_Type", "application/json")
        return self.ask("POST", path, body, **keywords)

    def _meant(self, text: str) -> str:
        return text.replace(TOKEN, self.token)

    def connect(self) -> Client:
        client = Client()
        client.token = self.token
        client.settimeout(20)
        client.connect(("127.0.0.1", self.port))
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    def raw(self, data: bytes) -> bytes:
        """Send bytes, return everything that comes until the server closes."""
        with self.connect() as client:
            client.sendall(data)
            return read_to_end(client)

    def open(self, path: str, **headers: str) -> Streamed:
        """A response whose body is still to come."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WITHIN)
        authorization = {"Authorization": f"Bearer {self.token}"}
        connection.request("GET", path, headers={**authorization, **headers})
        streamed = Streamed(connection)
        self.opened.append(streamed)
        return streamed


def read_to_end(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(1 << 20), b""))


def read_answer(client: socket.socket) -> bytes:
    """The next answer with a Content-Length, of a connection that stays open."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += client.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split()[0])
    while len(body) < length:
        body += client.recv(65536)
    return head + b"\r\n\r\n" + body


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])
