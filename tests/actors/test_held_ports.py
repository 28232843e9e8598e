"""Ports that wait for their service, with real sockets; also those whose connections linger."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator

import pytest

from actors.edges.held_ports import HOST, HeldPorts, is_taken


@pytest.fixture
def held() -> Iterator[HeldPorts]:
    ports = HeldPorts()
    yield ports
    ports.release_all()


def free_port() -> int:
    with socket.create_server((HOST, 0)) as server:
        return int(server.getsockname()[1])


def lingering_port() -> int:
    """A port that a server has just left after it had ended a connection first (TIME_WAIT)."""
    with socket.create_server((HOST, 0)) as server:
        address = server.getsockname()
        with socket.create_connection(address) as client:
            connection, _ = server.accept()
            connection.close()
            assert client.recv(1) == b""
    return int(address[1])


def can_be_bound(port: int, *, reuse: bool) -> bool:
    with socket.socket() as other:
        if reuse:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            other.bind((HOST, port))
            other.listen()
        except OSError:
            return False
        return True


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no lingering ports")
def test_a_port_lingers_in_these_tests() -> None:
    port = lingering_port()
    assert not can_be_bound(port, reuse=False)
    assert can_be_bound(port, reuse=True)


@pytest.mark.parametrize("make", [free_port, lingering_port])
def test_a_held_port_is_nobody_elses_and_is_free_again_afterwards(
    held: HeldPorts, make: Callable[[], int]
) -> None:
    port = make()
    assert held.hold(port)
    assert held.hold(port)
    assert is_taken(port)
    assert not can_be_bound(port, reuse=False)
    if sys.platform != "win32":
        assert not can_be_bound(port, reuse=True)
    held.release(port)
    assert not is_taken(port)
    assert can_be_bound(port, reuse=sys.platform != "win32")


@pytest.mark.parametrize(
    "make",
    [
        free_port,
        pytest.param(
            lingering_port,
            marks=pytest.mark.skipif(sys.platform != "linux", reason="BSD goes on to listen"),
        ),
    ],
)
def test_who_connects_to_a_held_port_is_refused(held: HeldPorts, make: Callable[[], int]) -> None:
    port = make()
    assert held.hold(port)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HOST, port), timeout=5)


@pytest.mark.parametrize("make", [free_port, lingering_port])
def test_a_held_port_can_be_listened_on_by_who_takes_its_socket(
    held: HeldPorts, make: Callable[[], int]
) -> None:
    port = make()
    assert held.hold(port)
    taken = held.take(port)
    assert taken is not None
    with taken:
        taken.listen()
        socket.create_connection((HOST, port), timeout=5).close()


@pytest.mark.parametrize("make", [free_port, lingering_port])
def test_a_held_port_can_be_handed_over_listening(held: HeldPorts, make: Callable[[], int]) -> None:
    port = make()
    assert held.hold(port)
    assert held.listen(port) is not None
    socket.create_connection((HOST, port), timeout=5).close()
    assert is_taken(port)


def test_a_port_moves_to_another_holder_without_a_gap(held: HeldPorts) -> None:
    port, other = free_port(), HeldPorts()
    assert held.hold(port)
    assert held.move(port, other)
    assert not held.move(port, other)
    assert is_taken(port)
    other.release_all()
    assert not is_taken(port)
