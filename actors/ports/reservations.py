"""Ports that are given out but not yet used: each is held by bound sockets until the spawn.

A port is claimed by an exclusive bind, on 127.0.0.1 and on ::1: a service may listen on either, or
on all addresses of both at once (Node's default), which fails when somebody has one of them. Where
the last user's connections still linger (TIME_WAIT, tcp(7)) the bind fails although nobody listens;
a bind with SO_REUSEADDR followed by listen(2) is then as exclusive: of two that try, the second's
listen fails. On Linux the socket is silenced at once, so that clients of a service that is down are
refused; elsewhere they connect, and are cut off when the service binds its port.
"""

from __future__ import annotations

import errno
import socket
import sys

from bundlevisor.actors.ports.port_locks import PortLocks

HOSTS = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
ALL_ADDRESSES = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}
BACKLOG = 128
"""Connections that wait to be accepted, of a service or a page."""
ANSWER_S = 0.2
"""Seconds in which a listener of this machine answers; one that does not is there as well."""
TAKEN = (errno.EADDRINUSE, errno.EACCES)
"""What bind(2) says of an address of somebody else; EACCES (10013) of a reserved range of Windows.
With any other error there is no such address here, so that nobody can listen on it."""


class _Held:
    """The sockets that hold one port: on IPv4, and on IPv6 where that is there."""

    def __init__(self, ipv4: socket.socket, ipv6: socket.socket | None) -> None:
        self.ipv4 = ipv4
        self.ipv6 = ipv6

    def close(self) -> None:
        self.ipv4.close()
        self.let_go_of_ipv6()

    def let_go_of_ipv6(self) -> None:
        if self.ipv6 is not None:
            self.ipv6.close()
            self.ipv6 = None


class PortReservations:
    """The sockets that keep ports for services. Only :meth:`move` is safe from several threads.

    With ``locks`` what is claimed here is kept from other runtimes until it is released here, also
    when it was moved on, and nobody has bound it.
    """

    def __init__(self, locks: PortLocks | None = None) -> None:
        self._held: dict[int, _Held] = {}
        self._locks = locks

    def hold(self, port: int) -> bool:
        """Claim the port; False when somebody else has it. Holding twice is no error."""
        if port in self._held:
            return True
        if self._locks is not None and not self._locks.take(port):
            return False
        claimed = _claim(port)
        if claimed is None:
            self._unlock(port)
            return False
        self._held[port] = claimed
        return True

    def holds(self, port: int) -> bool:
        """Whether it is held here."""
        return port in self._held

    def listen(self, port: int) -> int | None:
        """Hold the port with a listening socket and return its descriptor, None when taken."""
        held = self._held.pop(port, None)
        if held is not None:
            held.let_go_of_ipv6()
            if _listens(held.ipv4):
                self._held[port] = held
                return held.ipv4.fileno()
            held.close()
        listening = _listen(port, socket.AF_INET)
        if listening is None:
            return None
        self._held[port] = _Held(listening, None)
        return listening.fileno()

    def take(self, port: int) -> socket.socket | None:
        """Return the socket that holds the port, for somebody who will listen on it.

        Its connections will linger (TIME_WAIT) with the options that it has now: without
        SO_REUSEADDR nobody could bind the port for a minute after the service has ended.
        """
        held = self._held.pop(port, None)
        if held is None:
            return None
        held.let_go_of_ipv6()
        if sys.platform != "win32":
            held.ipv4.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return held.ipv4

    def release(self, port: int) -> None:
        """Give the port up, so that its service can bind it."""
        self._unlock(port)
        held = self._held.pop(port, None)
        if held is not None:
            held.close()

    def move(self, port: int, other: PortReservations) -> bool:
        """Give a port that is held here over to ``other``; False when it is not held."""
        held = self._held.pop(port, None)
        if held is None:
            return False
        other.release(port)
        other._held[port] = held
        return True

    def release_all(self) -> None:
        """Give all ports up."""
        for port in list(self._held):
            self.release(port)
        if self._locks is not None:
            self._locks.give_up_all()

    def _unlock(self, port: int) -> None:
        if self._locks is not None:
            self._locks.give_up(port)


def is_taken(port: int) -> bool:
    """Whether the port can no longer be bound."""
    probe = PortReservations()
    free = probe.hold(port)
    probe.release_all()
    return not free


def fits_all_addresses(port: int) -> bool:
    """Whether a port that is not held can be bound on all addresses at once, as by Node's default.

    On Linux not while a connection that went out from here has that number, on any address: the
    numbers that it takes for these (ip(7), ip_local_port_range) include a bundle's default range.
    """
    return all(_can_bind(port, family, host) for family, host in ALL_ADDRESSES.items())


def _can_bind(port: int, family: socket.AddressFamily, host: str) -> bool:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as attempt:
            if sys.platform != "win32":
                attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            attempt.bind((host, port))
    except OSError as error:
        return error.errno not in TAKEN
    return True


def _claim(port: int) -> _Held | None:
    ipv4 = _claim_on(port, socket.AF_INET)
    if ipv4 is None:
        return None
    try:
        ipv6 = _claim_on(port, socket.AF_INET6)
    except OSError:  # without IPv6 nobody is there
        return _Held(ipv4, None)
    if ipv6 is None:
        ipv4.close()
        return None
    return _Held(ipv4, ipv6)


def _claim_on(port: int, family: socket.AddressFamily) -> socket.socket | None:
    """Return the socket that claims a port, None when it is taken; OSError without the family."""
    exclusive = _socket(family)
    try:
        exclusive.bind((HOSTS[family], port))
    except OSError as error:
        exclusive.close()
        if family == socket.AF_INET6 and error.errno not in TAKEN:
            raise
    else:
        return exclusive
    claimed = _listen(port, family) if _may_linger(port, family) else None
    if claimed is not None and sys.platform == "linux":
        _silence(claimed)
    return claimed


def lingers(port: int, family: socket.AddressFamily) -> bool:
    """Whether nobody listens on a port that cannot be bound: connections of its last user linger.

    Asked on macOS, where SO_REUSEADDR lets one address be bound, and listened on, beside somebody
    who listens on all of them (setsockopt(2) of the BSDs); Linux refuses that.
    """
    with _socket(family) as attempt:
        attempt.settimeout(ANSWER_S)
        return attempt.connect_ex((HOSTS[family], port)) == errno.ECONNREFUSED


if sys.platform == "darwin":
    _may_linger = lingers
else:

    def _may_linger(_port: int, _family: socket.AddressFamily) -> bool:
        """Whether listening tells: Linux refuses it where somebody listens; nothing lingers on
        Windows."""
        return sys.platform != "win32"


def _silence(sock: socket.socket) -> None:
    """Stop listening and keep the port: on Linux a shutdown leaves what bind(2) was asked for.

    Without SO_REUSEADDR nobody can bind beside it, whatever options the other one has.
    """
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    sock.shutdown(socket.SHUT_RDWR)


def _listen(port: int, family: socket.AddressFamily) -> socket.socket | None:
    sock = _socket(family)
    if sys.platform != "win32":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((HOSTS[family], port))
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        return None
    return sock


def _socket(family: socket.AddressFamily) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    if sys.platform == "win32":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    return sock


def _listens(sock: socket.socket) -> bool:
    return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
