"""Who listens on a port: a process of the service, or another one; asked of the real kernel."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bundlevisor.actors.probes.port_owner import Owner, holder, impostor

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tell")

WAITS = "import sys; print('here', flush=True); sys.stdin.read()"
PASSES_ON = """
import os, sys
worker = os.fork()
if worker:
    os.close(int(sys.argv[1]))
    print(worker, flush=True)
sys.stdin.read()
"""


@contextmanager
def process(program: str, *sockets: socket.socket) -> Iterator[subprocess.Popen[str]]:
    """A process that inherits the sockets and ends with its stdin."""
    descriptors = [one.fileno() for one in sockets]
    with subprocess.Popen(
        [sys.executable, "-c", program, *map(str, descriptors)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=descriptors,
        text=True,
    ) as child:
        yield child


def said(child: subprocess.Popen[str]) -> str:
    assert child.stdout
    return child.stdout.readline().strip()


def nobody() -> list[int]:
    return []


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock


def port_of(sock: socket.socket) -> int:
    return int(sock.getsockname()[1])


def test_a_service_that_listens_itself_has_no_impostor(listener: socket.socket) -> None:
    def not_asked() -> list[int]:
        raise AssertionError("the tree is looked at in vain")

    with process(WAITS, listener) as leader:
        assert said(leader) == "here"
        assert impostor(port_of(listener), leader.pid, not_asked) is None


def test_a_listener_in_the_rest_of_the_tree_is_none(listener: socket.socket) -> None:
    with process(PASSES_ON, listener) as leader:
        worker = int(said(leader))
        port = port_of(listener)
        listener.close()
        assert impostor(port, leader.pid, lambda: [worker]) is None
        assert impostor(port, leader.pid, nobody) == Owner(worker, name_of(worker))


def test_another_program_on_the_port_is_named(listener: socket.socket) -> None:
    with process(WAITS) as leader:
        assert said(leader) == "here"
        found = impostor(port_of(listener), leader.pid, nobody)
        assert found == Owner(os.getpid(), name_of(os.getpid()))


def test_nothing_is_said_in_doubt(listener: socket.socket) -> None:
    with process(WAITS) as leader:
        assert said(leader) == "here"
        port = port_of(listener)
    assert impostor(port, leader.pid, nobody) is None, "the service is gone"
    with process(WAITS) as leader:
        assert said(leader) == "here"
        listener.close()
        assert impostor(port, leader.pid, nobody) is None, "nobody listens"


def test_nobody_is_named_without_a_descriptor_to_look_by(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_folder: str) -> list[str]:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(os, "listdir", refused)
    assert holder(os.fstat(listener.fileno()).st_ino) is None


def name_of(pid: int) -> str:
    with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
        return file.read().strip()
