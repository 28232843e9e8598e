"""Which sockets count as listening on a port of this machine, asked of the real kernel."""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from bundlevisor.actors.probes.listeners import accepts
from bundlevisor.actors.probes.sock_diag import listening_ports, netlink
from tests.waiting import WITHIN

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sock_diag is Linux's")


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def bound(
    stack: ExitStack, family: socket.AddressFamily, host: str, *, v6only: int = 0
) -> socket.socket:
    sock = stack.enter_context(socket.socket(family))
    if family is socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
    sock.bind((host, 0))
    return sock


def unreached(
    stack: ExitStack, family: socket.AddressFamily, host: str, *, v6only: int = 0
) -> socket.socket:
    """Return a socket on a port on which nobody else listens for 127.0.0.1 meanwhile."""
    while True:
        sock = bound(stack, family, host, v6only=v6only)
        kept = stack.enter_context(socket.socket())
        try:
            kept.bind(("127.0.0.1", port_of(sock)))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return sock


def port_of(sock: socket.socket) -> int:
    return int(sock.getsockname()[1])


def found(ports: set[int]) -> set[int]:
    with netlink() as link:
        return listening_ports(link, ports)


def test_a_port_counts_once_it_is_listened_on_and_not_when_it_is_only_bound(
    stack: ExitStack,
) -> None:
    sock = bound(stack, socket.AF_INET, "127.0.0.1")
    assert found({port_of(sock)}) == set()
    sock.listen()
    assert found({port_of(sock)}) == {port_of(sock)}


def test_a_listener_counts_when_it_would_take_a_connection_to_127_0_0_1(stack: ExitStack) -> None:
    reached = [
        bound(stack, socket.AF_INET, "127.0.0.1"),
        bound(stack, socket.AF_INET, "0.0.0.0"),
        bound(stack, socket.AF_INET6, "::"),
    ]
    not_reached = [
        unreached(stack, socket.AF_INET, "127.0.0.3"),
        unreached(stack, socket.AF_INET6, "::", v6only=1),
        unreached(stack, socket.AF_INET6, "::1"),
    ]
    for sock in (*reached, *not_reached):
        sock.listen()
    assert found(set(map(port_of, (*reached, *not_reached)))) == set(map(port_of, reached))


def test_more_ports_can_be_asked_for_than_a_socket_has_room_for_answers(stack: ExitStack) -> None:
    sock = bound(stack, socket.AF_INET, "127.0.0.1")
    sock.listen()
    with netlink() as link:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 100_000)
        assert port_of(sock) in listening_ports(link, {port_of(sock), *range(20_000, 21_000)})


def test_nothing_is_asked_for_no_port() -> None:
    assert found(set()) == set()


def test_where_the_system_does_not_tell_a_connection_shows_who_listens_on_ipv6(
    stack: ExitStack,
) -> None:
    """As on macOS."""
    listening = bound(stack, socket.AF_INET6, "::1", v6only=1)
    with pytest.raises(ConnectionRefusedError):
        accepts(port_of(listening), WITHIN)
    listening.listen()
    assert accepts(port_of(listening), WITHIN)
