"""Noticing that a port is listened on, within milliseconds and without connecting to it.

There is no portable event for listen(2). On Linux one netlink dump (sock_diag(7)) names all
listening sockets at once, costs microseconds, leaves no trace in the service and cannot connect to
itself; elsewhere, and where netlink is forbidden, connection attempts at the same pace do it.
"""

from __future__ import annotations

import errno
import functools
import socket
import struct
import sys
import time
from collections.abc import Callable

from actors.edges.checks import Check, TcpCheck
from actors.edges.loop import Loop, Timer

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLM_F_DUMP_REQUEST = 0x301
NLMSG_DONE = 3
TCP_LISTEN = 10
HEADER = struct.Struct("=IHHII")
REQUEST = struct.Struct("=BBBBI48x")


def pause(elapsed: float, longest: float) -> float:
    """Return how long to wait before the next look, ``elapsed`` seconds after the first.

    A twentieth of the time waited so far, at least 1 ms: what is noticed late is late by 5 %.
    """
    return min(max(elapsed / 20, 0.001), longest)


class Listening:
    """Tells when ports begin to be listened on. Everything runs on the loop's thread."""

    LONGEST = 0.05
    """Seconds between two looks, however long a service takes."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._waiting: dict[object, tuple[int, float, Callable[[], None]]] = {}
        self._attempts: dict[object, Check] = {}
        self._timer: Timer | None = None
        self._netlink: socket.socket | None = None
        self._has_netlink = sys.platform == "linux"

    def when(self, port: int, told: Callable[[], None]) -> object:
        """Call ``told`` once, as soon as somebody listens on the port; returns what cancels it."""
        key = object()
        self._waiting[key] = (port, time.monotonic(), told)
        self._look()
        return key

    def cancel(self, key: object) -> None:
        """Stop waiting; unknown and finished keys are no error."""
        self._waiting.pop(key, None)
        attempt = self._attempts.pop(key, None)
        if attempt is not None:
            attempt.cancel()
        if not self._waiting:
            self._close()

    def _look(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._has_netlink:
            self._dump()
        else:
            self._try_all()
        if not self._waiting:
            self._close()
        else:
            now = time.monotonic()
            youngest = min(now - since for _, since, _ in self._waiting.values())
            self._timer = self._loop.call_at(now + pause(youngest, self.LONGEST), self._look)

    def _dump(self) -> None:
        try:
            self._netlink = self._netlink or _netlink()
            ports = listening_ports(self._netlink)
        except OSError:
            self._has_netlink = False
            self._close()
            self._try_all()
            return
        for key, (port, _, _) in list(self._waiting.items()):
            if port in ports:
                self._found(key)

    def _close(self) -> None:
        if self._netlink is not None:
            self._netlink.close()
            self._netlink = None

    def _try_all(self) -> None:
        for key, (port, _, _) in list(self._waiting.items()):
            if key not in self._attempts:
                self._attempts[key] = _Pending()
                self._attempts[key] = TcpCheck(
                    self._loop, port, 1.0, functools.partial(self._tried, key)
                )

    def _tried(self, key: object, trouble: str) -> None:
        self._loop.call_soon(lambda: self._attempts.pop(key, None))
        if not trouble:
            self._loop.call_soon(lambda: self._found(key))

    def _found(self, key: object) -> None:
        entry = self._waiting.pop(key, None)
        if entry is not None:
            entry[2]()


class _Pending:
    def cancel(self) -> None:
        """Nothing is under way yet."""


def _netlink() -> socket.socket:
    link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG)
    link.settimeout(0.2)
    return link


def listening_ports(link: socket.socket) -> set[int]:
    """Return every TCP port of this network namespace that is listened on, IPv4 and IPv6.

    Raises OSError where netlink is forbidden or does not answer.
    """
    ports: set[int] = set()
    for family in (socket.AF_INET, socket.AF_INET6):
        request = REQUEST.pack(family, socket.IPPROTO_TCP, 0, 0, 1 << TCP_LISTEN)
        header = HEADER.pack(
            HEADER.size + len(request), SOCK_DIAG_BY_FAMILY, NLM_F_DUMP_REQUEST, 1, 0
        )
        link.send(header + request)
        while _collect(link.recv(65536), ports):
            pass
    return ports


def _collect(answer: bytes, ports: set[int]) -> bool:
    """Add the ports of one datagram; False when it was the last one. OSError when refused."""
    offset = 0
    while offset + HEADER.size <= len(answer):
        length, kind, _, _, _ = HEADER.unpack_from(answer, offset)
        if kind == NLMSG_DONE:
            return False
        if kind != SOCK_DIAG_BY_FAMILY or length < HEADER.size:
            raise OSError(errno.EACCES, "sock_diag refused")
        (port,) = struct.unpack_from("!H", answer, offset + HEADER.size + 4)
        ports.add(port)
        offset += (length + 3) & ~3
    return True
