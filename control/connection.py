"""One connection: waitress's channel, with the limits and the answers of the control API.

What waitress lacks is added here: an absolute deadline for a request to be complete, a close that
does not destroy the answer, and an answer for clients that have closed only their sending half.
"""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

from control.lanes import Lane, lane_of
from control.request_parser import Parser
from control.tasks import ApiTask, JsonErrorTask, RequestTimeout
from control.waitress_parts import HTTPChannel

if TYPE_CHECKING:
    from control.server import HttpServer
    from control.waitress_parts import HTTPRequestParser

REQUEST_DEADLINE_S = 10.0
"""From a request's first byte (a connection's beginning) to its last; the specification's limit."""
LINGER_S = 2.0
"""How long an answer to a request that was not read to its end may take to be read."""
IDLE_S = 75.0
"""How long a connection is kept between requests, an answer that is not read included."""
SLOW_READER_S = 2.0
"""How long a thread waits for a client that asks on and does not read what it is answered."""


class Connection(HTTPChannel):
    """A client's connection."""

    task_class = ApiTask
    error_task_class = JsonErrorTask
    parser_class = Parser
    server: HttpServer

    def __init__(self, server: HttpServer, *arguments: Any, **keywords: Any) -> None:
        self.refused: Lane | None = None
        self.lingers = False
        self.half_closed = False
        self.began_at = time.monotonic()
        """When the present request, or the wait for it, began."""
        self._partial: HTTPRequestParser | None = None
        self._spoke = False
        self._drains_until: float | None = None
        super().__init__(server, *arguments, **keywords)
        self.logger = server.logger

    @property
    def incomplete(self) -> bool:
        """Whether a request is still to come, in part or (on a new connection) as a whole."""
        return not self.requests and (self.request is not None or not self._spoke)

    @property
    def answering(self) -> bool:
        """Whether a request is being answered, or its answer not yet sent."""
        return bool(self.requests) or self.total_outbufs_len > 0

    # called by lanes' threads

    def lane(self) -> Lane:
        """Return the lane of the request that is next."""
        request = self.requests[0]
        if request.error:
            return Lane.QUICK
        accept = request.headers.get("ACCEPT", "")
        return lane_of(request.command, request.path, request.query, accept)

    def service(self) -> None:
        """Answer the next request."""
        super().service()
        with self.requests_lock:
            if not self.half_closed or self.requests:
                return
            self.close_when_flushed = True
        self.server.pull_trigger()

    def check_client_disconnected(self) -> bool:
        """Return whether the client has closed the connection, or its half of it."""
        return self.half_closed or not self.connected

    def _flush_outbufs_below_high_watermark(self) -> None:
        if self.total_outbufs_len <= self.adj.outbuf_high_watermark:
            return
        if self.requests and self.lane() is Lane.STREAM:
            super()._flush_outbufs_below_high_watermark()
            return
        with self.outbuf_lock:
            self.server.pull_trigger()
            if not self.outbuf_lock.wait_for(self._is_below_watermark, SLOW_READER_S):
                self.will_close = True

    def _is_below_watermark(self) -> bool:
        below = self.total_outbufs_len <= self.adj.outbuf_high_watermark
        return below or not self.connected

    # called by the server's loop

    def received(self, data: bytes) -> bool:
        """Parse what has come, and note when an incomplete request began."""
        taken = super().received(data)
        self._spoke = self._spoke or self.request is None
        if self.request is not self._partial:
            self._partial = self.request
            self.began_at = time.monotonic()
        return taken

    def readable(self) -> bool:
        """Return whether to read: also what nobody wants any more, before a close."""
        if self._drains_until is not None:
            return True
        return not self.half_closed and super().readable()

    def handle_read(self) -> None:
        """Read; a client that has sent all it will is still answered."""
        try:
            data = self.socket.recv(self.adj.recv_bytes)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.handle_close()
            return
        if data and self._drains_until is None:
            self.received(data)
        elif not data:
            self._end_of_input()

    def _end_of_input(self) -> None:
        with self.requests_lock:
            self.half_closed = self.answering
            self.close_when_flushed = not self.requests
        if not self.half_closed:
            self.handle_close()

    def handle_write(self) -> None:
        """Send; after an error, wait for the client to read it before closing."""
        if self.lingers and self.close_when_flushed and not self.will_close:
            self._flush_exception(self._flush_some)
            if self.total_outbufs_len == 0 and not self.will_close and self.connected:
                self._linger()
                return
        super().handle_write()

    def _linger(self) -> None:
        """Send the end and read on: closing with unread input would reset the connection, and
        with it destroy the answer on the client's side (RFC 9112, 9.6)."""
        self.close_when_flushed = False
        self._drains_until = time.monotonic() + LINGER_S
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.handle_close()

    def expire(self, now: float) -> None:
        """Close what is overdue; ``now`` is monotonic."""
        waited = now - self.began_at
        if self._drains_until is not None:
            if now >= self._drains_until:
                self.handle_close()
        elif self.incomplete and waited >= REQUEST_DEADLINE_S:
            self._time_out()
        elif not self.requests and waited >= IDLE_S:
            self.handle_close()

    def _time_out(self) -> None:
        late = self.request
        if late is None:
            self.handle_close()
            return
        late.error = RequestTimeout(REQUEST_DEADLINE_S)
        with self.requests_lock:
            self.request = None
            self.requests.append(late)
        self.server.add_task(self)
