"""The control API's own choice of a port."""

from __future__ import annotations

import socket

import pytest

from bundlevisor.actors.files.own_file import error_text
from bundlevisor.control.boot import ipc_socket


class FirstIsRefused:
    """Stands for the ports that browsers refuse: the first that is asked about is one."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __contains__(self, port: int) -> bool:
        self.asked.append(port)
        return len(self.asked) == 1


def test_a_port_that_browsers_refuse_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = FirstIsRefused()
    monkeypatch.setattr(ipc_socket, "REFUSED_BY_BROWSERS", refused)
    with ipc_socket.listen("127.0.0.1", 0) as sock:
        assert sock.getsockname()[1] == refused.asked[1] != refused.asked[0]
    with ipc_socket.listen("127.0.0.1", refused.asked[0]) as sock:  # let go of, and taken as asked
        assert sock.getsockname()[1] == refused.asked[0]
    assert len(refused.asked) == 2


def test_an_address_that_this_machine_has_not_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """As 127.0.0.1, or ::1, in some sandboxes."""
    monkeypatch.setattr(ipc_socket, "address_of", str)
    with pytest.raises(OSError, match=r"192\.0\.2\.1") as raised:  # RFC 5737: nobody's
        ipc_socket.listen("192.0.2.1", 0)
    told = error_text(raised.value)
    assert told.startswith("192.0.2.1, where the control API is to listen: ")


def test_where_there_is_no_other_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    there = [bound := ipc_socket._bound("127.0.0.1", 0)]

    def of_one(_address: str, _port: int) -> socket.socket:
        if not there:
            raise OSError(98, "in use")
        return there.pop()

    monkeypatch.setattr(ipc_socket, "REFUSED_BY_BROWSERS", {bound.getsockname()[1]})
    monkeypatch.setattr(ipc_socket, "_bound", of_one)
    with ipc_socket.listen("127.0.0.1", 0) as sock:
        assert sock is bound
