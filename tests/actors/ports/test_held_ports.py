"""Ports that are held: nobody else gets them, and nobody is answered on them."""

from __future__ import annotations

import contextlib
import errno
import socket
import sys
import threading
from collections.abc import Iterator

import pytest

from bundlevisor.actors.ports import reservations
from bundlevisor.actors.ports.reservations import PortReservations, is_taken, lingers
from bundlevisor.actors.ports.service_ports import ServicePorts
from bundlevisor.manifest.format.schema import Service
from tests import absent
from tests.fresh_ports import fresh_port

HERE = "127.0.0.1"
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the socket goes on listening")
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows lets nothing linger in the way")


@pytest.fixture
def held() -> Iterator[PortReservations]:
    ports = PortReservations()
    yield ports
    ports.release_all()


@pytest.fixture
def fresh() -> int:
    """A port that nobody has used for a while."""
    return fresh_port()


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


def test_a_held_port_is_nobody_elses_and_refuses(held: PortReservations, fresh: int) -> None:
    assert held.hold(fresh)
    assert is_taken(fresh)
    assert not can_be_served(fresh)
    with socket.socket() as client, pytest.raises(ConnectionRefusedError):
        client.connect((HERE, fresh))
    held.release(fresh)
    assert can_be_served(fresh)


@LINUX
def test_a_port_with_lingering_connections_is_held_without_taking_new_ones(
    held: PortReservations, lingering: int
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
    claimants = [PortReservations() for _ in range(8)]
    for _ in range(50):
        together = threading.Barrier(len(claimants))
        won: list[PortReservations] = []

        def claim(
            one: PortReservations, at: threading.Barrier, won: list[PortReservations]
        ) -> None:
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
    held: PortReservations, state: str, request: pytest.FixtureRequest
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
    held: PortReservations, state: str, request: pytest.FixtureRequest
) -> None:
    port: int = request.getfixturevalue(state)
    assert held.hold(port)
    descriptor = held.listen(port)
    assert descriptor is not None
    socket.create_connection((HERE, port)).close()
    assert held.listen(port) == descriptor


def test_a_port_moves_to_another_holder_without_a_gap(held: PortReservations, fresh: int) -> None:
    other = PortReservations()
    assert held.hold(fresh)
    assert held.move(fresh, other)
    assert not held.move(fresh, other)
    assert is_taken(fresh)
    other.release_all()
    assert not is_taken(fresh)


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


IPV6 = absent.unless(has_ipv6(), "the address ::1")


@contextlib.contextmanager
def somebody_on(host: str, port: int) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET6) as sock:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if sys.platform != "win32":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen()
        yield sock


@IPV6
@pytest.mark.parametrize("host", ["::1", "::"])
def test_a_port_that_somebody_has_on_ipv6_only_is_taken(
    held: PortReservations, fresh: int, host: str
) -> None:
    with somebody_on(host, fresh):
        assert not held.hold(fresh)
        assert is_taken(fresh)
    assert can_be_served(fresh), "nothing of the attempt is left"
    assert held.hold(fresh)


@IPV6
@pytest.mark.parametrize("give_up", ["release", "take"])
def test_a_held_port_is_nobody_elses_on_ipv6_either_until_it_is_given_up(
    held: PortReservations, fresh: int, give_up: str
) -> None:
    assert held.hold(fresh)
    with pytest.raises(OSError, match=r"in use|10013|10048"), somebody_on("::1", fresh):
        pass
    taken = getattr(held, give_up)(fresh)
    with somebody_on("::1", fresh):
        pass
    if taken is not None:
        taken.close()


@IPV6
@POSIX
def test_a_port_on_which_connections_linger_on_ipv6_is_held(
    held: PortReservations, fresh: int
) -> None:
    with somebody_on("::1", fresh) as listener, socket.create_connection(("::1", fresh)) as client:
        accepted, _ = listener.accept()
        accepted.close()
        assert client.recv(1) == b""
    assert held.hold(fresh)
    with pytest.raises(OSError, match="in use"), somebody_on("::1", fresh):
        pass


def test_without_ipv6_a_port_is_held_on_ipv4_alone(
    held: PortReservations, fresh: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts = {socket.AF_INET: HERE, socket.AF_INET6: "2001:db8::1"}  # an address of nobody
    monkeypatch.setattr("bundlevisor.actors.ports.reservations.HOSTS", hosts)
    assert held.hold(fresh)
    assert is_taken(fresh)


@POSIX
@pytest.mark.parametrize("host", [HERE, "0.0.0.0"])
def test_who_listens_on_one_address_or_on_all_is_told_from_what_lingers(
    host: str, fresh: int
) -> None:
    with socket.create_server((host, fresh)):
        assert not lingers(fresh, socket.AF_INET)
    assert lingers(fresh, socket.AF_INET)


@POSIX
def test_a_connection_that_lingers_is_nobody_who_listens(lingering: int) -> None:
    assert lingers(lingering, socket.AF_INET)


def test_no_port_is_lost_where_there_is_no_descriptor_to_tell_by(
    monkeypatch: pytest.MonkeyPatch, fresh: int
) -> None:
    """What a run ended with is told all the same, and the next start says what is lacking."""

    def refuse(_: socket.AddressFamily) -> socket.socket:
        raise OSError(errno.EMFILE, "Too many open files")

    ports = ServicePorts(Service(id="api"), PortReservations())
    ports.assign({"api": {"http": fresh}})
    monkeypatch.setattr(reservations, "_socket", refuse)
    assert ports.hold_after_failure() == ()
    with pytest.raises(OSError, match="Too many"):
        ports.hold()
    monkeypatch.undo()
    assert ports.hold_after_failure() == ()
    ports.release()
    with server(fresh):
        assert ports.hold_after_failure() == ("http",)


def test_what_was_not_let_go_for_a_run_was_not_the_cause_of_its_failure(fresh: int) -> None:
    """Of a page's ports it is given the first, as a socket; the second is held all along."""
    ports = ServicePorts(Service(id="ui", type="ui-bundle"), PortReservations())
    ports.assign({"ui": {"http": fresh, "more": fresh_port()}})
    assert ports.hold() == ()
    given = ports.take_first()
    assert given is not None
    given.close()
    assert ports.hold_after_failure() == ()
    ports.release()
