"""The socket of a start: what has come, and from whom; nothing is left of it."""

from __future__ import annotations

import array
import contextlib
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundlevisor.actors.probes import notify_socket
from bundlevisor.actors.probes.notify_socket import (
    BURST,
    LONGEST_DATAGRAM,
    LONGEST_PATH,
    UNKNOWN,
    NotifySocket,
)

if sys.platform == "win32":
    pytest.skip("Windows has no such sockets", allow_module_level=True)

from bundlevisor.actors.probes.notify_socket import FileSocket

linux = pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets are Linux's")


def announced(path: str) -> None:
    """Whoever removes it if we die hears of it first; one of an earlier instance may be there."""
    assert not os.path.exists(path) or "earlier" in Path(path).read_text()


def opened(kind: str, folder: Path) -> NotifySocket:
    if kind == "file":
        return FileSocket(str(folder / "runtime"), "notify-0-1", announced)
    found = notify_socket.open_socket(str(folder), "notify-0-1", announced)
    assert found is not None
    return found


def send(address: str, *datagrams: bytes) -> None:
    name = f"\0{address[1:]}" if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
        to.setblocking(False)
        for one in datagrams:
            to.sendto(one, name)


class OfMacOs(socket.socket):
    """One with the room that sockets have there."""

    def bind(self, address: object) -> None:
        self.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        super().bind(address)  # type: ignore[arg-type]


def test_a_burst_has_room_where_the_system_gives_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "socket", OfMacOs)
    bound = opened("file", tmp_path)
    with contextlib.closing(bound), socket.socket(fileno=os.dup(bound.fileno())) as it:
        assert it.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) >= 100_000


@pytest.mark.parametrize("kind", ["file", "own"])
def test_what_is_sent_comes_in_order_and_what_is_too_long_is_nothing(
    kind: str, tmp_path: Path
) -> None:
    bound = opened(kind, tmp_path)
    try:
        assert list(bound.receive()) == []
        sent = (b"READY=1", b"x" * (LONGEST_DATAGRAM + 1), b"y" * LONGEST_DATAGRAM)
        for one in sent:
            send(bound.address, one)
            data, _ = next(bound.receive())
            assert data == (one if len(one) <= LONGEST_DATAGRAM else b"")
    finally:
        bound.close()


@linux
def test_the_kernel_says_who_has_sent(tmp_path: Path) -> None:
    bound = opened("own", tmp_path)
    try:
        assert bound.address.startswith("@")
        assert bound.places == ()
        send(bound.address, b"READY=1")
        assert list(bound.receive()) == [(b"READY=1", os.getpid())]
        other = "import socket, sys; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM);"
        other += "s.sendto(b'STATUS=x', chr(0) + sys.argv[1])"
        with subprocess.Popen([sys.executable, "-c", other, bound.address[1:]]) as process:
            process.wait(30)
        assert list(bound.receive()) == [(b"STATUS=x", process.pid)]
    finally:
        bound.close()


@linux
def test_descriptors_that_are_sent_along_are_closed(tmp_path: Path) -> None:
    """That is how sd_notify_barrier(3) learns that it was heard."""
    bound = opened("own", tmp_path)
    with send_barrier(bound.address) as read:
        assert list(bound.receive()) == [(b"BARRIER=1", os.getpid())]
        assert os.read(read, 1) == b"", "nobody has the other end any more"
    bound.close()


@linux
def test_who_waits_until_it_was_heard_is_there_until_its_word_was_looked_at(
    tmp_path: Path,
) -> None:
    """systemd-notify ends once its barrier is taken, and nobody could say then whose it was."""
    bound = opened("own", tmp_path)
    send(bound.address, b"READY=1")
    with send_barrier(bound.address) as read:
        os.set_blocking(read, False)
        heard = iter(bound.receive())
        assert next(heard) == (b"READY=1", os.getpid())
        with pytest.raises(BlockingIOError):
            os.read(read, 1)
        assert next(heard) == (b"BARRIER=1", os.getpid())
        assert os.read(read, 1) == b""
    bound.close()


@contextlib.contextmanager
def send_barrier(address: str) -> Iterator[int]:
    """Send what sd_notify_barrier(3) sends; yields the descriptor whose end it waits for."""
    read, write = os.pipe()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [write]))
        to.sendmsg([b"BARRIER=1"], [rights], 0, f"\0{address[1:]}")
    os.close(write)
    try:
        yield read
    finally:
        os.close(read)


def test_a_flood_is_taken_in_bursts(tmp_path: Path) -> None:
    bound = opened("own", tmp_path)
    try:
        with contextlib.suppress(BlockingIOError):  # the queue is full
            for sent in range(10_000):  # noqa: B007
                send(bound.address, b"STATUS=x")
        assert len(list(bound.receive())) == min(sent, BURST)
    finally:
        bound.close()


def test_a_file_is_for_this_user_alone_and_goes(tmp_path: Path) -> None:
    path = tmp_path / "runtime" / "notify-0-1"
    path.parent.mkdir()
    path.write_text("of an earlier instance")
    bound = opened("file", tmp_path)
    assert bound.address == str(path)
    assert bound.places == (str(path),)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    send(bound.address, b"READY=1")
    assert list(bound.receive()) == [(b"READY=1", UNKNOWN)]
    bound.close()
    assert not path.exists()


def test_a_file_whose_path_would_be_too_long_lies_elsewhere_and_goes(tmp_path: Path) -> None:
    bound = opened("file", tmp_path / ("long" * 30))
    assert len(os.fsencode(bound.address)) < LONGEST_PATH
    folder = Path(bound.address).parent
    assert bound.places == (bound.address, str(folder))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    send(bound.address, b"READY=1")
    assert list(bound.receive()) == [(b"READY=1", UNKNOWN)]
    bound.close()
    assert not folder.exists()


def test_a_file_that_is_gone_costs_nothing(tmp_path: Path) -> None:
    bound = opened("file", tmp_path)
    os.unlink(bound.address)
    bound.close()


@pytest.mark.permissions
@pytest.mark.parametrize("depth", [1, LONGEST_PATH], ids=["in app-data", "elsewhere"])
def test_its_file_is_for_the_user_whatever_the_umask(tmp_path: Path, depth: int) -> None:
    before = os.umask(0o777)
    try:
        opened_one = FileSocket(str(tmp_path / ("r" * depth)), "notify-0-1", lambda _: None)
    finally:
        os.umask(before)
    send(opened_one.address, b"READY=1")
    assert list(opened_one.receive()) == [(b"READY=1", UNKNOWN)]
    mode = stat.S_IMODE(os.stat(os.path.dirname(opened_one.address)).st_mode)
    opened_one.close()
    assert mode == 0o700
