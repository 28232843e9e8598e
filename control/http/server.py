"""The HTTP server of the control API: waitress on a socket that already listens."""

from __future__ import annotations

import errno
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

from bundlevisor.control.boot.early_socket import BACKLOG
from bundlevisor.control.http.connection import Connection, Host
from bundlevisor.control.http.door import Door
from bundlevisor.control.http.fair_turns import FairTurns
from bundlevisor.control.http.lane_threads import Dispatcher
from bundlevisor.control.http.last_answers import LastAnswers
from bundlevisor.control.http.lasting_fault import LastingFault
from bundlevisor.control.http.late_application import LateApplication
from bundlevisor.control.http.memory import Memory
from bundlevisor.control.http.places import who_goes
from bundlevisor.control.http.waitress_log import Faults
from bundlevisor.control.http.waitress_parts import close_all, loop
from bundlevisor.control.http.waitress_settings import (
    CONNECTIONS,
    RECEIVED,
    SELECTABLE,
    adjustments,
    files_for_connections,
)
from bundlevisor.control.wire.closing import Closing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bundlevisor.control.api.app import Wsgi
    from bundlevisor.control.http.early_health import Held
    from bundlevisor.control.wire.facade import RuntimeApi

ACCEPTS = 64
"""So many are accepted in one round, some 5 ms: a quarter of the places, so that those of them who
have gone again are seen before anybody has to make room for them."""
SWEEP_S = 1
QUIET_S = 60.0
"""How long to wait while nobody is connected: whoever comes, and the end, wakes the loop."""
OUT_OF_FILES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class ControlServer:
    """Serves the control API of ``runtime`` on ``listener`` from a thread of its own."""

    def __init__(
        self, runtime: RuntimeApi, token: str, listener: socket.socket, held: Sequence[Held] = ()
    ) -> None:
        """``held`` are connections that have been accepted already."""
        self._closing = Closing()
        door, memory = Door(token), Memory(runtime, self._closing)
        self._http = HttpServer(
            LateApplication(runtime, self._closing, door.guests, memory),
            door,
            memory,
            listener,
            runtime.fault,
            held=held,
        )
        self._thread = threading.Thread(target=self._http.run, name="control-api", daemon=True)

    def start(self) -> None:
        """Answer from now on; connections that wait in the listener's backlog come first."""
        self._thread.start()

    def stop(self, timeout: float, longest: float = 0.0) -> bool:
        """End: no new requests, no streams, no waits; answers on their way still get there.

        Returns whether all were sent in this time (:class:`LastAnswers`). The listener is closed.
        """
        self._closing.begin()
        if not self._thread.ident:
            self._http.abandon()
            return True
        self._http.finish(LastAnswers(timeout, longest))
        self._thread.join(max(timeout, longest) + SWEEP_S)
        return self._http.finished_cleanly


class HttpServer(Host):
    """Waitress, with bounded connections, turns and a stop.

    One round: who can be read is read, who has sent something has a turn
    (:mod:`bundlevisor.control.http.fair_turns`), and all that wait to be accepted are, so that a
    client whose request came with its connection is answered before it could have to make room for
    another (:mod:`bundlevisor.control.http.places`).
    """

    channel_class = Connection
    active_channels: dict[int, Connection]

    def __init__(
        self,
        app: Wsgi,
        door: Door,
        memory: Memory,
        listener: socket.socket,
        fault: Callable[[str, BaseException], None],
        connections: int = CONNECTIONS,
        held: Sequence[Held] = (),
    ) -> None:
        self.logger = Faults(fault)
        self.door = door
        self.memory = memory
        self.turns: FairTurns[Connection] = FairTurns()
        self.finished_cleanly = False
        self._knocked = False
        self._leaving: list[Connection] = []
        self._loop = 0
        self._fault = fault
        self._most = min(connections, files_for_connections())
        self._last: LastAnswers | None = None
        self._full_until = 0.0
        self._sweep_at = 0.0
        self._trigger_lock = threading.Lock()
        self._ended = False
        self._held = held
        super().__init__(
            app,
            map={},
            _sock=listener,
            dispatcher=Dispatcher(fault),
            adj=adjustments(listener),
            sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
            bind_socket=False,
        )

    def set_reuse_addr(self) -> None:
        """Do nothing: on Windows SO_REUSEADDR would let others take the port."""

    def run(self) -> None:
        """Serve until :meth:`finish`; an error of ours is reported and does not end it."""
        self._loop = threading.get_ident()
        lasting = LastingFault("serving the control API", self._fault)
        self._take_over()
        while not self._is_finished():
            with lasting:  # nobody else is there to answer
                self.go_round(self._patience())
        self.abandon()

    def _take_over(self) -> None:
        """Let in who has been accepted already; what they have sent comes with them."""
        for one in self._held:
            try:
                self._let_in(one.client, one.client.getpeername(), asked=one.asked)
            except OSError:  # the client has gone already
                one.client.close()
        self._held = ()
        self._give_turns()

    def go_round(self, patience: float) -> None:
        """Do one round; wait at most ``patience`` seconds for something to do."""
        self._sweep()
        loop(patience, self.adj.asyncore_use_poll or max(self._map) >= SELECTABLE, self._map, 1)
        self._give_turns()
        self._accept_all()

    def _give_turns(self) -> None:
        for connection in self.turns.next_round():
            try:
                connection.take_turn()
            except Exception as error:  # noqa: BLE001 - costs one client its connection
                self._fault("reading a request", error)
                connection.handle_close()
            self.turns.done(connection)

    def finish(self, last: LastAnswers) -> None:
        """Have :meth:`run` return when the answers under way are sent, or no time is left."""
        self._last = last
        self.pull_trigger()

    def abandon(self) -> None:
        """Close everything at once."""
        with self._trigger_lock:
            self._ended = True
        self.task_dispatcher.shutdown()
        for connection in list(self.active_channels.values()):
            connection.handle_close()
        close_all(self._map, ignore_all=True)

    def pull_trigger(self) -> None:
        """Wake the loop; after the end this does nothing (its pipe may be somebody else's)."""
        if threading.get_ident() == self._loop:
            return
        with self._trigger_lock:
            if not self._ended:
                super().pull_trigger()

    def readable(self) -> bool:
        """Return whether to accept."""
        open_ = time.monotonic() >= self._full_until and self._last is None
        return self.accepting and open_

    def handle_accept(self) -> None:
        """Note that somebody waits to be accepted."""
        self._knocked = True

    def _accept_all(self) -> None:
        """Accept those who wait, at most ``ACCEPTS``; what they have sent comes with them.

        Those who have gone already cost little, and are not counted.
        """
        knocked, self._knocked = self._knocked, False
        self._leaving = []
        let_in = 0
        for before in range(BACKLOG if knocked else 0):
            accepted = self._accept_one(waits=not before)
            let_in += accepted is True
            if accepted is None or let_in >= min(ACCEPTS, self._most):
                break
        self._give_turns()

    def _accept_one(self, *, waits: bool) -> bool | None:
        """Accept one: True when it is let in, False when its client has gone already, None when
        nobody waits or nobody can be let in. Room is made only where somebody ``waits`` for sure:
        without a descriptor the system refuses before it looks."""
        try:
            accepted = self.accept()
        except OSError as error:
            if waits and error.errno in OUT_OF_FILES and not self._evict():
                self._full_until = time.monotonic() + SWEEP_S
            return None
        return None if accepted is None else self._let_in(*accepted)

    def _let_in(self, client: socket.socket, address: Any, *, asked: int = 0) -> bool | None:
        """Make a connection of a client; returns what :meth:`_accept_one` does."""
        try:
            if _is_reset(client):
                client.close()
                return False
            self.set_socket_options(client)
            client.setblocking(False)
            data = _what_has_come(client)
        except OSError:  # the client has gone already
            client.close()
            return False
        if len(self.active_channels) >= self._most and not self._evict():
            client.close()
            return None
        connection = self.channel_class(self, client, address, self.adj, map=self._map)
        connection.asked = asked
        if data is not None:
            connection.take(data)
        return True

    def _sweep(self) -> None:
        """Close what has expired, once a second, by a clock that is never set.

        Not while the loop asks who can be read: select(2), which is what Windows has, fails as a
        whole when one of the sockets has been closed.
        """
        now = time.monotonic()
        if now >= self._sweep_at:
            self._sweep_at = now + SWEEP_S
            for connection in list(self.active_channels.values()):
                connection.expire(now)

    def _evict(self) -> bool:
        """Close one connection to make room; False if all are being served."""
        if not self._leaving:
            held = self.active_channels.values()
            self._leaving = who_goes(held, time.monotonic(), self._most)[::-1]
        if not self._leaving:
            return False
        self._leaving.pop().handle_close()
        return True

    def _patience(self) -> float:
        if self.turns.any_ready:
            return 0.0
        if self._last is None:
            someone = self.active_channels or time.monotonic() < self._full_until
            return float(SWEEP_S) if someone else QUIET_S
        return min(self._last.left, SWEEP_S)

    def _is_finished(self) -> bool:
        if self._last is None:
            return False
        busy = [one for one in self.active_channels.values() if one.busy]
        self._last.go_on(max((one.sent_at for one in busy), default=0.0))
        self.finished_cleanly = not busy
        return self.finished_cleanly or not self._last.left


def _is_reset(client: socket.socket) -> bool:
    """Return whether a new client has reset its connection; what it sent could be read still."""
    return client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0


def _what_has_come(client: socket.socket) -> bytes | None:
    """Return what a new client has sent, None when nothing has come yet."""
    try:
        return client.recv(RECEIVED)
    except (BlockingIOError, InterruptedError):
        return None
