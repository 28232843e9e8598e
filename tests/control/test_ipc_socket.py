"""The control API's own choice of a port."""

from __future__ import annotations

import pytest

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
