"""Connections without a token that mean no good: what ``attack`` runs beside an honest client.

``python -m bundlevisor.perf.attacker PORT SHAPE COUNT``: keeps COUNT connections of one shape going
until it is ended, each made again as soon as the server closes it. Prints a line when all have been
tried.
"""

from __future__ import annotations

import errno
import selectors
import socket
import struct
import sys
import time
from collections.abc import Callable

import msgspec

HOST = b"Host: 127.0.0.1\r\n"
HEALTH = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
REFUSED = b"GET /readyz HTTP/1.1\r\n" + HOST + b"\r\n"
SLOW_HEAD = b"GET /healthz HTTP/1.1\r\n" + HOST + b"X-Slow: "
SLOW_BODY = b"POST /healthz HTTP/1.1\r\n" + HOST + b"Content-Length: 1000000\r\n\r\n"
TRAILERS = b"POST /healthz HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n"
ABORT = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""A struct linger: closing resets the connection."""
TRICKLE_S = 0.25
"""How often a slow connection sends another byte."""
IN_FLIGHT = frozenset({0, errno.EINPROGRESS, errno.EWOULDBLOCK, 10035})


class Shape(msgspec.Struct, frozen=True):
    """What a connection does: sends ``first``, then ``more`` whenever it can or every so often."""

    about: str
    first: bytes = b""
    more: bytes = b""
    trickles: bool = False
    reads: bool = True
    leaves: bool = False
    """Whether it goes as soon as it is answered (at once, where there is nothing to answer)."""
    resets: bool = False


SHAPES = {
    "silent": Shape("connect and say nothing"),
    "kept": Shape("ask once, then stay", first=HEALTH),
    "slow headers": Shape("a byte of a header now and then", SLOW_HEAD, b"x", trickles=True),
    "slow bodies": Shape("a byte of a body now and then", SLOW_BODY, b"x", trickles=True),
    "pipelined": Shape("136 requests at once, again and again", HEALTH * 136, HEALTH * 136),
    "unread": Shape("the same, never reading", HEALTH * 136, HEALTH * 136, reads=False),
    "refused": Shape("ask without the token, again and again", REFUSED, REFUSED),
    "churn": Shape("connect, ask, close, connect again", HEALTH, leaves=True),
    "resets": Shape("connect, ask, reset, connect again", HEALTH, leaves=True, resets=True),
    "headers": Shape("2,500 tiny headers", HEALTH[:-2] + b"a:b\r\n" * 2500 + b"\r\n"),
    "trailers": Shape("trailers without an end", TRAILERS, b"a: " + b"x" * 4000 + b"\r\n"),
}


class Attack:
    """COUNT connections of one shape."""

    def __init__(self, port: int, shape: Shape, count: int) -> None:
        self._port = port
        self._shape = shape
        self._count = count
        self._ready = selectors.DefaultSelector()
        self._open: set[socket.socket] = set()
        self._rest: dict[socket.socket, bytes] = {}

    def run(self, when_tried: Callable[[], object]) -> None:
        """Go on until the process is ended."""
        for _ in range(self._count):
            self._connect()
        when_tried()
        trickle_at = time.monotonic()
        while True:
            for key, events in self._ready.select(0.02):
                self._step(key.fileobj, events)  # type: ignore[arg-type]
            if self._shape.trickles and time.monotonic() >= trickle_at:
                trickle_at = time.monotonic() + TRICKLE_S
                for one in list(self._open):
                    self._send(one, self._shape.more)
            for _ in range(min(64, self._count - len(self._open))):
                self._connect()

    def _connect(self) -> None:
        one = socket.socket()
        one.setblocking(False)
        if one.connect_ex(("127.0.0.1", self._port)) not in IN_FLIGHT:
            one.close()
            return
        self._open.add(one)
        self._rest[one] = self._shape.first
        self._ready.register(one, selectors.EVENT_WRITE | selectors.EVENT_READ)

    def _step(self, one: socket.socket, events: int) -> None:
        try:
            if events & selectors.EVENT_READ and self._shape.reads:
                answered = one.recv(65536)
                if not answered or self._shape.leaves:
                    self._close(one)
                    return
            if events & selectors.EVENT_WRITE:
                self._write(one)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._close(one)

    def _write(self, one: socket.socket) -> None:
        shape = self._shape
        rest = self._rest[one] or (b"" if shape.trickles else shape.more)
        if rest:
            self._rest[one] = rest[one.send(rest) :]
            return
        if shape.leaves and shape.resets:
            self._close(one)
        else:
            self._ready.modify(one, selectors.EVENT_READ)

    def _send(self, one: socket.socket, data: bytes) -> None:
        try:
            one.send(data)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._close(one)

    def _close(self, one: socket.socket) -> None:
        if self._shape.resets:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        self._ready.unregister(one)
        self._open.discard(one)
        del self._rest[one]
        one.close()


def allow_files(count: int) -> None:
    """Raise the limit on open files as far as it is needed and may be; Windows has none."""
    if sys.platform != "win32":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = count + 100
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def main(argv: list[str]) -> None:
    """Attack."""
    port, name, count = int(argv[0]), argv[1], int(argv[2])
    allow_files(count)
    try:
        Attack(port, SHAPES[name], count).run(lambda: print("tried", flush=True))
    except OSError as error:
        sys.exit(f"{count} connections cannot be made: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
