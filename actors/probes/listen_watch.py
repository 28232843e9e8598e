"""Noticing that a port is listened on, within milliseconds and without connecting to it.

There is no portable event for listen(2). On Linux a netlink question (sock_diag(7)) names the
socket that would accept a connection to 127.0.0.1 and a port: it costs 3 us, leaves no trace in the
service and cannot connect to itself; elsewhere, and where netlink is forbidden, connection attempts
at the same pace do it.
"""

from __future__ import annotations

import errno
import functools
import socket
import struct
import sys
import time
from collections.abc import Callable, Collection

from bundlevisor.actors.loop.reactor import Loop, Timer
from bundlevisor.actors.probes.checks import Check, TcpCheck

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLM_F_REQUEST = 1
NLMSG_ERROR = 2
TCP_LISTEN = 10
NO_COOKIE = 0xFFFFFFFF
LOOPBACK = {
    socket.AF_INET: socket.inet_aton("127.0.0.1"),
    socket.AF_INET6: socket.inet_pton(socket.AF_INET6, "::1"),
}
SHORTEST = 0.001
"""Seconds between two looks: one serves all that wait, however many began at once."""
HEADER = struct.Struct("=IHHII")
"""struct nlmsghdr: length, type, flags, sequence (here the port), pid."""
REQUEST = struct.Struct("=BBBBI 2s2s16s16xI II")
"""struct inet_diag_req_v2: family, protocol, wanted states; ports and addresses (source, then
destination), interface, cookie."""


def pause(elapsed: float, longest: float) -> float:
    """Return how long to wait before the next look, ``elapsed`` seconds after the first.

    A twentieth of the time waited so far, at least 1 ms: what is noticed late is late by 5 %.
    """
    return min(max(elapsed / 20, SHORTEST), longest)


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
        now = time.monotonic()
        self._waiting[key] = (port, now, told)
        self._look_by(now + SHORTEST)
        return key

    def cancel(self, key: object) -> None:
        """Stop waiting; unknown and finished keys are no error."""
        self._waiting.pop(key, None)
        attempt = self._attempts.pop(key, None)
        if attempt is not None:
            attempt.cancel()
        if not self._waiting:
            self._close()

    def _look_by(self, when: float) -> None:
        if self._timer is not None and self._timer.when > when:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self._loop.call_at(when, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._waiting and self._has_netlink:
            self._ask()
        elif self._waiting:
            self._try_all()
        if not self._waiting:
            self._close()
            return
        now = time.monotonic()
        youngest = min(now - since for _, since, _ in self._waiting.values())
        self._look_by(now + pause(youngest, self.LONGEST))

    def _ask(self) -> None:
        try:
            self._netlink = self._netlink or netlink()
            ports = listening_ports(self._netlink, {port for port, _, _ in self._waiting.values()})
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


if sys.platform == "linux":

    def netlink() -> socket.socket:
        """Return a socket for such questions; OSError where that is forbidden."""
        link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG)
        link.settimeout(0.2)
        return link

else:

    def netlink() -> socket.socket:
        """Raise OSError: there is none."""
        raise OSError(errno.EAFNOSUPPORT, "netlink is Linux's")


def listening_ports(
    link: socket.socket, ports: Collection[int], family: socket.AddressFamily = socket.AF_INET
) -> set[int]:
    """Return those of ``ports`` on which a connection to 127.0.0.1 (or ::1) would be accepted.

    The kernel looks each up as it does for a connection (inet_diag_find_one_icsk): listeners on
    0.0.0.0 and on :: (unless for IPv6 only) are found as well. Every question has one answer.
    Raises OSError where netlink is forbidden or does not answer.
    """
    if not ports:
        return set()
    link.send(b"".join(question(port, family) for port in ports))
    answers = [_answered(link.recv(4096)) for _ in ports]
    return {port for port in answers if port}


def question(port: int, family: socket.AddressFamily = socket.AF_INET) -> bytes:
    """Return what asks the kernel who would accept a connection to a loopback address."""
    sought = (port.to_bytes(2, "big"), b"\0\0", LOOPBACK[family])
    body = REQUEST.pack(
        *(family, socket.IPPROTO_TCP, 0, 0, 1 << TCP_LISTEN),
        *(*sought, 0, NO_COOKIE, NO_COOKIE),
    )
    length = HEADER.size + len(body)
    return HEADER.pack(length, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, port, 0) + body


def _answered(answer: bytes) -> int:
    """Return the port that is listened on, 0 for 'no such socket'; OSError when refused."""
    _, kind, _, port, _ = HEADER.unpack_from(answer)
    if kind == SOCK_DIAG_BY_FAMILY:
        return int(port)
    code = -struct.unpack_from("=i", answer, HEADER.size)[0] if kind == NLMSG_ERROR else 0
    if code != errno.ENOENT:
        raise OSError(code or errno.EPROTO, "sock_diag refused")
    return 0
