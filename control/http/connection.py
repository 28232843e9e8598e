"""One connection: waitress's channel, with the limits and the answers of the control API.

What waitress lacks is added here: turns, so that no client is read at another's expense; a look
at the headers before anything of the body; an absolute deadline for a request to be complete; a
close that does not destroy the answer, and an answer for clients that have closed only their
sending half.
"""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

from bundlevisor.control.http.door import NO_THREAD, is_open
from bundlevisor.control.http.open_answer import of_open
from bundlevisor.control.http.quick_answer import of_error
from bundlevisor.control.http.request_parser import Parser
from bundlevisor.control.http.response import closes, on_the_wire
from bundlevisor.control.http.tasks import ApiTask, Channel, JsonErrorTask, RequestTimeout
from bundlevisor.control.http.waitress_parts import TcpWSGIServer
from bundlevisor.control.wire.exchange import DISCONNECTED, PORT, REFUSED
from bundlevisor.control.wire.lanes import Lane, lane_of

if TYPE_CHECKING:
    from bundlevisor.control.http.direct_answers import Asked
    from bundlevisor.control.http.door import Door
    from bundlevisor.control.http.fair_turns import FairTurns
    from bundlevisor.control.http.memory import Memory
    from bundlevisor.control.http.response import Response

REQUEST_DEADLINE_S = 10.0
"""From a request's first byte (a connection's beginning) to its last; the specification's limit."""
LINGER_S = 2.0
"""How long an answer to a request that was not read to its end may take to be read."""
IDLE_S = 75.0
"""How long a connection is kept between requests; an answer of which nothing is read as well."""
SLOW_READER_S = 2.0
"""How long a thread waits for a client that asks on and does not read what it is answered."""


class Host(TcpWSGIServer):
    """What a connection knows of its server."""

    door: Door
    memory: Memory
    turns: FairTurns[Connection]


class Connection(Channel):
    """A client's connection: a request is read, answered and sent before the next one is read."""

    task_class = ApiTask
    error_task_class = JsonErrorTask
    parser_class = Parser
    server: Host
    request: Parser | None

    def __init__(self, server: Host, *arguments: Any, **keywords: Any) -> None:
        self.refused: Lane | None = None
        self.lingers = False
        self.half_closed = False
        self.trusted = False
        self.asked = 0
        self.began_at = time.monotonic()
        """When the present request, or the wait for it, began."""
        self._unread = b""
        self._question: Asked | None = None
        """What the present request asks for, where the application is not needed."""
        self._drains_until: float | None = None
        super().__init__(server, *arguments, **keywords)
        self.logger = server.logger

    @property
    def incomplete(self) -> bool:
        """Whether a request is still to come, in part or (on a new connection) as a whole."""
        return not self.requests and (self.request is not None or not self.asked)

    @property
    def busy(self) -> bool:
        """Whether a request is being answered, or a client with the token is still sent to."""
        return bool(self.requests) or (self.trusted and self.total_outbufs_len > 0)

    @property
    def waits(self) -> bool:
        """Whether something has come that is still to be read, the end included."""
        return self.connected and (bool(self._unread) or self.half_closed)

    @property
    def may_go_on(self) -> bool:
        """Whether the next request may be read: the one before is answered, and that is sent."""
        occupied = self.requests or self.total_outbufs_len or self._drains_until is not None
        return self.connected and not (occupied or self._closes)

    @property
    def _closes(self) -> bool:
        return self.will_close or self.close_when_flushed

    # called by lanes' threads

    def lane(self) -> Lane:
        """Return the lane of the request that is next."""
        request = self.requests[0]
        accept = request.headers.get("ACCEPT", "")
        return lane_of(request.command, request.path, request.query, accept)

    def service(self) -> None:
        """Answer the request, with the application only where it needs it."""
        request, question = self.requests[0], self._question
        if question is None:
            super().service()
            return
        gone = self.check_client_disconnected
        question.env |= {DISCONNECTED: gone, REFUSED: self.refused, PORT: self.addr[1]}
        response = self.server.memory.direct.answer(question)
        self._send_whole(on_the_wire(response, request))
        self.began_at = time.monotonic()
        request.close()
        with self.requests_lock:
            self.close_when_flushed = closes(request)
            self.requests.pop(0)
        self.server.pull_trigger()

    def _send_whole(self, answer: bytes) -> None:
        """Send an answer; what the system does not take now is kept, and sent when it does."""
        with self.outbuf_lock:
            if not self.connected:
                return
            try:
                if (sent := self.send(answer, do_close=False)) < len(answer):
                    self.write_soon(answer[sent:])
                    self.current_outbuf_count = self.adj.outbuf_high_watermark  # ends the buffer
            except OSError:
                self.will_close = True

    def check_client_disconnected(self) -> bool:
        """Return whether the client has closed the connection, or its half of it."""
        return self.half_closed or not self.connected

    def _flush_outbufs_below_high_watermark(self) -> None:
        if self.total_outbufs_len <= self.adj.outbuf_high_watermark:
            return
        self.sending = False  # this takes the client's time: it is the loop's from here on
        if self.requests and self.lane() is Lane.STREAM:
            super()._flush_outbufs_below_high_watermark()
            return
        with self.outbuf_lock:
            self.server.pull_trigger()
            if not self.outbuf_lock.wait_for(self._is_below_watermark, SLOW_READER_S):
                self.will_close = True

    def _is_below_watermark(self) -> bool:
        return self.total_outbufs_len <= self.adj.outbuf_high_watermark or not self.connected

    # called by the server's loop

    def readable(self) -> bool:
        """Return whether to read: also what nobody wants any more, before a close."""
        if self._drains_until is not None:
            return True
        full = len(self._unread) >= self.adj.recv_bytes
        return not (self.half_closed or full or self.total_outbufs_len or self._closes)

    def handle_read(self) -> None:
        """Take what has come; it is looked at when it is this connection's turn."""
        try:
            data = self.socket.recv(self.adj.recv_bytes)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.handle_close()
            return
        if self._drains_until is None:
            self.take(data)
        elif not data:
            self.handle_close()

    def take(self, data: bytes) -> None:
        """Keep what has come (nothing: the client's end) until it is this connection's turn."""
        if not data and self.may_go_on and not self._unread:
            self.handle_close()
            return
        self._unread += data
        self.half_closed = not data
        self.server.turns.has_sent(self)

    def take_turn(self) -> None:
        """Read one request, and answer it or give it to its lane.

        A client that has sent all it will is still answered; then the connection closes.
        """
        if self._unread:
            self._read()
        elif self.half_closed:
            self.handle_close()

    def _read(self) -> None:
        data, self._unread = self._unread, b""
        if self.request is None:
            self.request = self.parser_class(self.adj)
            self.began_at = time.monotonic()
        request = self.request
        self._unread = data[request.received(data) :]
        if request.headers_finished and not request.admitted and request.error is None:
            self._look_at(request)
        if request.completed:
            self.request = None
            self.sent_continue = False
            if not request.empty:
                self._answer(request)
        elif request.expect_continue and request.headers_finished and not self.sent_continue:
            self.send_continue()

    def _look_at(self, request: Parser) -> None:
        """Let a request in by its headers; what is turned away, or has no token, ends with them."""
        door = self.server.door
        request.admitted = known = door.knows(request)
        self.trusted = self.trusted or known
        if not request.empty:
            request.error = door.refusal(request, known)
        if (request.error is not None or not known) and not request.completed:
            request.completed = True
            request.headers["CONNECTION"] = "close"
            self.lingers = True

    def _answer(self, request: Parser) -> None:
        self.asked += 1
        response = self._response_at_once(request)
        if response is None:
            with self.requests_lock:  # who answered the one before may be about to look for more
                self.requests.append(request)
            if self.server.task_dispatcher.add_task(self):
                return
            with self.requests_lock:
                self.requests.remove(request)
            request.error = NO_THREAD
            response = of_error(request)
        self.lingers = self.lingers or request.error is not None
        self.close_when_flushed = closes(request)
        self._send_whole(on_the_wire(response, request))
        self.began_at = time.monotonic()
        request.close()
        if self.writable():
            self.handle_write()

    def _response_at_once(self, request: Parser) -> Response | None:
        """Return the answer that needs no thread; None for a request that is for a lane."""
        if request.error is not None:
            return of_error(request)
        if is_open(request):
            server = self.server
            return of_open(request, server.memory.health, server.door, self.socket)
        direct = self.server.memory.direct
        self._question = question = direct.read(request)
        return None if question is None else direct.at_once(question)

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

    def handle_close(self) -> None:
        """Close, and wait for no turn."""
        self.server.turns.forget(self)
        super().handle_close()

    def expire(self, now: float) -> None:
        """Close what is overdue; ``now`` is monotonic."""
        waited = now - self.began_at
        if self._drains_until is not None:
            if now >= self._drains_until:
                self.handle_close()
        elif self.incomplete and waited >= REQUEST_DEADLINE_S:
            self._time_out()
        elif not self.requests and min(waited, now - self.sent_at) >= IDLE_S:
            self.handle_close()

    def _time_out(self) -> None:
        late = self.request
        if late is None:
            self.handle_close()
            return
        late.error = RequestTimeout(REQUEST_DEADLINE_S)
        self.request = None
        self._answer(late)
