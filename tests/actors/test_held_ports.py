"""Ports that are held: nobody else gets them, and nobody is answered on them."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator

import pytest

from actors.edges.held_ports import HeldPorts, is_taken

HERE = "127.0.0.1"
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the socket goes on listening")
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows lets nothing linger in the way")


@pytest.fixture
def held() -> Iterator[HeldPorts]:
    ports = HeldPorts()
    yield ports
    ports.release_all()


@pytest.fixture
def fresh() -> int:
    """A port that nobody has used for a while."""
    with socket.socket() as sock:
        sock.bind((HERE, 0))
        return int(sock.getsockname()[1])


@pytest.fixture
def lingering(fresh: int) -> int:
    """A port on which a connection of a server that is gone lingers (TIME_WAIT)."""
    with server(fresh) as listener, socket.create_connection((HERE, fresh)) as client:
        accepted, _ = listener.accept()
        accepted.close()  # who closes first keeps the connection in TIME_WAIT
        assert client.recv(1) == b""
    with socket.socket() as exclusive, pytest.raises(OSError, match="in use"):
        exclusive.bind((HERE, fresh))
    return fresh


def server(port: int) -> socket.socket:
    return socket.create_server((HERE, port))  # with SO_REUSEADDR, as servers do


def can_be_served(port: int) -> bool:
    try:
        server(port).close()
    except OSError:
        return False
    return True


def test_a_held_port_is_nobody_elses_and_refuses(held: HeldPorts, fresh: int) -> None:
    assert held.hold(fresh)
    assert is_taken(fresh)
    assert not can_be_served(fresh)
    with socket.socket() as client, pytest.raises(ConnectionRefusedError):
        client.connect((HERE, fresh))
    held.release(fresh)
    assert can_be_served(fresh)


@LINUX
def test_a_port_with_lingering_connections_is_held_without_taking_new_ones(
    held: HeldPorts, lingering: int
) -> None:
    assert held.hold(lingering)
    with socket.socket() as client, pytest.raises(ConnectionRefusedError):
        client.connect((HERE, lingering))
    assert is_taken(lingering)
    assert not can_be_served(lingering)
    held.release(lingering)
    assert can_be_served(lingering)


@POSIX
def test_of_many_that_claim_a_lingering_port_at_once_one_gets_it(lingering: int) -> None:
    claimants = [HeldPorts() for _ in range(8)]
    for _ in range(50):
        together = threading.Barrier(len(claimants))
        won: list[HeldPorts] = []

        def claim(one: HeldPorts, at: threading.Barrier, won: list[HeldPorts]) -> None:
            at.wait()
            if one.hold(lingering):
                won.append(one)

        threads = [threading.Thread(target=claim, args=(one, together, won)) for one in claimants]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(won) <= 1
        if not won:  # all stood in each other's way for a moment: the next choice is another port
            assert claimants[0].hold(lingering)
        assert is_taken(lingering)
        for one in claimants:
            one.release_all()


@POSIX
@pytest.mark.parametrize("state", ["fresh", "lingering"])
def test_a_held_port_can_be_listened_on_by_whom_it_is_given(
    held: HeldPorts, state: str, request: pytest.FixtureRequest
) -> None:
    port: int = request.getfixturevalue(state)
    assert held.hold(port)
    taken = held.take(port)
    assert taken is not None
    with taken:
        taken.listen()
        with socket.create_connection((HERE, port)) as client:
            accepted, _ = taken.accept()
            with accepted:
                accepted.sendall(b"x")
                assert client.recv(1) == b"x"


@POSIX
@pytest.mark.parametrize("state", ["fresh", "lingering"])
def test_a_held_port_is_handed_over_as_a_listening_socket(
    held: HeldPorts, state: str, request: pytest.FixtureRequest
) -> None:
    port: int = request.getfixturevalue(state)
    assert held.hold(port)
    descriptor = held.listen(port)
    assert descriptor is not None
    socket.create_connection((HERE, port)).close()
    assert held.listen(port) == descriptor


def test_a_port_moves_to_another_holder_without_a_gap(held: HeldPorts, fresh: int) -> None:
    other = HeldPorts()
    assert held.hold(fresh)
    assert held.move(fresh, other)
    assert not held.move(fresh, other)
    assert is_taken(fresh)
    other.release_all()
    assert not is_taken(fresh)
