"""Answering a request in a thread of its lane: with the application, or that it has failed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

from bundlevisor.control.http.quick_answer import of_error
from bundlevisor.control.http.waitress_parts import ErrorTask, HTTPChannel, WSGITask
from bundlevisor.control.wire.exchange import EVERY_ANSWER, REFUSED
from bundlevisor.control.wire.lanes import Lane

if TYPE_CHECKING:
    from collections.abc import Callable

    from bundlevisor.control.http.waitress_parts import HTTPRequestParser

TOGETHER = 64 * 1024
"""Bytes of a body that are put behind the headers; to copy more costs more than to send twice."""


class Triggered(Protocol):
    """The server, as far as a task is concerned."""

    def pull_trigger(self) -> None:
        """Wake the loop."""


class Channel(HTTPChannel):
    """What a task knows of its connection."""

    refused: Lane | None
    """The lane that has no room for the request."""
    lingers: bool
    """Whether the client is to have read the answer before the connection closes."""
    began_at: float
    """When the present request, or the wait for it, began: monotonic seconds."""
    sent_at = 0.0
    """When something was sent last: monotonic seconds."""
    server: Triggered
    sending = False
    """Whether a thread is about to send what it has just written."""
    _held: list[bytes] | None = None

    def give_up(self) -> None:
        """Close without an answer: there is none, and the client would wait for it."""
        with self.requests_lock:
            self.close_when_flushed = True
            self.requests = []
        self.server.pull_trigger()

    def send(self, data: bytes, do_close: bool = True) -> int:
        """Send what the system takes now; return how much that was."""
        sent: int = super().send(data, do_close)
        if sent:
            self.sent_at = time.monotonic()
        return sent

    def write_soon(self, data: bytes) -> int:
        """Send, or hold for what comes with it."""
        if self._held is not None:
            self._held.append(data)
            return len(data)
        self.sending = True
        try:
            return super().write_soon(data)
        finally:
            self.sending = False
            if self.total_outbufs_len:
                self.server.pull_trigger()

    def writable(self) -> bool:
        """Return whether the loop has something to send, or to close.

        It has not while a thread sends: to find the socket ready and the thread not done yet, again
        and again, keeps the interpreter from that thread.
        """
        return not self.sending and super().writable()

    def write_as_one(self, write: Callable[[bytes], None], data: bytes) -> None:
        """Have what ``write`` writes sent at once, where that is several pieces."""
        held: list[bytes] = []
        self._held = held
        try:
            write(data)
        finally:
            self._held = None
        self.write_soon(b"".join(held))


class ApiTask(WSGITask):
    """Answers one request with the application."""

    channel: Channel

    def __init__(self, channel: Channel, request: HTTPRequestParser) -> None:
        super().__init__(channel, request)
        self.logger = channel.logger

    def write(self, data: bytes) -> None:
        """Write a piece of the answer; the first goes with the headers, in one system call."""
        if data and not self.wrote_header and len(data) <= TOGETHER:
            self.channel.write_as_one(super().write, data)
        else:
            super().write(data)

    def finish(self) -> None:
        """Write the end of the answer; from now on the connection waits for the next request."""
        super().finish()
        self.channel.began_at = time.monotonic()

    def get_environment(self) -> dict[str, Any]:
        """Return the WSGI environment, which says whether the lane refused the request.

        The path is the one that was sent: waitress takes ``//healthz`` for ``/healthz``.
        """
        environ = super().get_environment()
        environ["PATH_INFO"] = self.request.path or "/"
        if self.channel.refused is not None:
            environ[REFUSED] = self.channel.refused
        return environ


class JsonErrorTask(ErrorTask):
    """Answers a request that failed inside, in the shape of the control API."""

    channel: Channel

    def execute(self) -> None:
        """Write the error, and let the client read it before the connection closes."""
        response = of_error(self.request)
        self.status = f"{response.status} {response.reason}"
        self.response_headers.extend(EVERY_ANSWER.items())
        self.response_headers.append(("Content-Type", "application/json"))
        self.set_close_on_finish()
        self.content_length = len(response.body)
        self.channel.lingers = True
        self.write(b"" if self.request.command == "HEAD" else response.body)


class RequestTimeout:
    """The error of a request that was not complete in time, as waitress's errors are."""

    code = 408
    reason = "Request Timeout"

    def __init__(self, seconds: float) -> None:
        self.body = f"the request was not complete after {seconds:.0f} s"
