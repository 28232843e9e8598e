"""One health check, asked once, without blocking: connect or an HTTP GET; a command stands apart.

A check answers exactly once, with an empty string when the service is well and otherwise with what
is wrong in a few words, unless it is cancelled first. To make one raises OSError where there is no
descriptor or port to ask by, or no room to watch it, which says nothing of the service. All run on
the events loop's thread.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from bundlevisor.actors.loop.reactor import Loop, Timer
from bundlevisor.manifest.format.probe import Health

Answer = Callable[[str], None]
LINGER = "HH" if sys.platform == "win32" else "ii"
"""struct linger: whether, and for how many seconds; none means a reset."""
READ = 64 * 1024
"""Bytes of an answer that are read at once."""
LOOK_EVERY = 0.05
"""Seconds between two looks for an answer that the loop has no room to watch for."""
IN_PROGRESS = {0, errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY}
OF_THIS_END = {errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM}
"""On a loopback: no port is left to ask from (clients that come and go have used them all), or no
memory."""
WAITS_NOT: int = getattr(socket, "SOCK_NONBLOCK", 0)
"""Has a socket be made so that no call waits, where the system can do that in one call."""

new_socket = socket.socket


class Target(msgspec.Struct, frozen=True):
    """What is asked: a port (None where the check needs none), or a command with all it needs."""

    port: int | None
    argv: list[str] = []
    env: dict[str, str] = {}
    cwd: str = ""


if TYPE_CHECKING:
    from typing import Protocol

    class Check(Protocol):
        """A question that is under way."""

        def cancel(self) -> None:
            """Stop asking; nothing is answered any more."""


class _Connection:
    """A connection attempt to a port of this machine, bounded in time.

    It comes from 127.0.0.1, as an ordinary client does: some services allow nobody else.
    """

    def __init__(self, loop: Loop, port: int, timeout: float, answer: Answer) -> None:
        self._loop = loop
        self._answer: Answer | None = answer
        self._port = port
        self._socket = new_socket(socket.AF_INET, socket.SOCK_STREAM | WAITS_NOT)
        if not WAITS_NOT:
            self._socket.setblocking(False)
        self._prepare()
        self._deadline: Timer = loop.call_at(time.monotonic() + timeout, self._expired)
        try:
            code = self._socket.connect_ex(("127.0.0.1", port))
        except OSError as error:
            code = error.errno or errno.EIO
        if code in OF_THIS_END:
            self._close()
            raise OSError(code, os.strerror(code))
        if code not in IN_PROGRESS:
            self._finish(self._refusal(code))
        elif (peer := self._peer()) is not None:
            self._reached(peer)
        else:
            try:
                loop.watch(self._socket.fileno(), None, self._connected)
            except OSError:
                self._close()
                raise

    def cancel(self) -> None:
        """Stop asking; nothing is answered any more."""
        self._answer = None
        self._close()

    def _prepare(self) -> None:
        """Do to the socket what has to be done before it connects: nothing."""

    def _peer(self) -> object:
        """Return whom it is connected to; None while the handshake is not over.

        On a loopback it is when connect returns.
        """
        try:
            return self._socket.getpeername()
        except OSError:
            return None

    def _expired(self) -> None:
        from bundlevisor.actors.probes.closed_port import TOLD_LATE

        refused = TOLD_LATE and self._peer() is None
        late = f"no answer on port {self._port} in time"
        self._finish(self._refusal(errno.ECONNREFUSED) if refused else late)

    def _connected(self) -> None:
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._finish(self._refusal(code))
        else:
            self._reached(self._peer())

    def _reached(self, peer: object) -> None:
        """The handshake is over: with a listener, or with nobody but ourselves."""
        if is_own(self._socket, peer):
            self._finish(self._refusal(errno.ECONNREFUSED))
        else:
            self._established()

    def _established(self) -> None:
        self._finish("")

    def _refusal(self, code: int) -> str:
        if code == errno.ECONNREFUSED:
            from bundlevisor.actors.probes.listeners import nothing_listens

            return nothing_listens(self._port)
        return f"port {self._port}: {os.strerror(code)}"

    def _finish(self, trouble: str) -> None:
        answer, self._answer = self._answer, None
        self._close()
        if answer is not None:
            answer(trouble)

    def _close(self) -> None:
        self._deadline.cancel()
        if self._socket.fileno() >= 0:
            self._loop.unwatch(self._socket.fileno())
            self._socket.close()


def is_own(connection: socket.socket, peer: object = None) -> bool:
    """Whether a connection has met itself, so that nobody listens; ``peer``, if it is known.

    Where a port lies in the ephemeral range, an attempt may be given that very port as its source,
    and TCP's simultaneous open succeeds. It is reset, lest it lingers (TIME_WAIT) on the port.
    """
    try:
        own: bool = connection.getsockname() == (peer or connection.getpeername())
    except OSError:
        return False
    if own:
        import struct

        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(LINGER, 1, 0))
    return own


class TcpCheck(_Connection):
    """Well when the port accepts a connection."""


class HttpExchange(_Connection):
    """One request, and what its answer means."""

    def __init__(
        self, loop: Loop, port: int, request: bytes, timeout: float, answer: Answer
    ) -> None:
        self._unsent = request
        self._received = bytearray()
        super().__init__(loop, port, timeout, answer)

    def _judge(self, received: bytes, *, ended: bool) -> str | None:
        """Return what is wrong with what has come so far: nothing (""), or None: more is needed."""
        raise NotImplementedError

    def _expired(self) -> None:
        if self._received:
            self._finish(f"the answer on port {self._port} did not end in time")
        else:
            super()._expired()

    def _established(self) -> None:
        try:
            sent = self._socket.send(self._unsent)
        except OSError as error:
            self._finish(f"port {self._port}: {error.strerror}")
            return
        if sent != len(self._unsent):
            self._finish(f"port {self._port} does not take a request")
            return
        self._loop.call_soon(self._look)

    def _look(self) -> None:
        """Look for an answer once: who is asked together with others has mostly given it by now.

        Then it is watched for, or looked for now and then as long as the loop cannot watch.
        """
        if self._answer is not None:
            self._readable()
        if self._answer is not None:
            try:
                self._loop.watch(self._socket.fileno(), self._readable, None)
            except OSError:  # no memory, or too many watches of this user
                self._loop.call_at(time.monotonic() + LOOK_EVERY, self._look)

    def _readable(self) -> None:
        try:
            data = self._socket.recv(READ)
        except BlockingIOError:
            return
        except OSError as error:
            self._finish(f"port {self._port}: {error.strerror}")
            return
        self._received += data
        verdict = self._judge(bytes(self._received), ended=not data)
        if verdict is not None:
            self._finish(verdict)


class HttpCheck(HttpExchange):
    """Well when a GET is answered with 2xx, unless a JSON body says otherwise."""

    def __init__(self, loop: Loop, port: int, target: str, timeout: float, answer: Answer) -> None:
        request = (
            f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            "User-Agent: bundlevisor\r\nAccept: */*\r\nConnection: close\r\n\r\n"
        ).encode()
        super().__init__(loop, port, request, timeout, answer)

    def _judge(self, received: bytes, *, ended: bool) -> str | None:
        from bundlevisor.actors.probes.http_verdict import judge_response

        return judge_response(received, ended=ended)


def ask(loop: Loop, health: Health, target: Target, answer: Answer) -> Check:
    """Ask once whether a service is well, as its ``health`` section says."""
    timeout = health.timeout_ms / 1000
    if health.type == "command":
        from bundlevisor.actors.probes.command_check import CommandCheck

        return CommandCheck(loop, target.argv, target.env, target.cwd, timeout, answer)
    if target.port is None:
        raise ValueError(f"a check of type {health.type} needs a port")
    if health.type == "http":
        return HttpCheck(loop, target.port, health.request_path, timeout, answer)
    return TcpCheck(loop, target.port, timeout, answer)
