"""A page's log and socket on their way to a server that runs."""

from __future__ import annotations

import errno
import os
import socket
import sys
from multiprocessing.connection import Pipe

import pytest

if sys.platform == "win32":
    pytest.skip("as rights on a Unix socket: POSIX'", allow_module_level=True)

from bundlevisor.actors.ui_server.handover_posix import hand_over, take_over


def test_what_there_is_no_space_for_now_is_handed_over_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As on macOS, in the words of its uipc_send."""
    send_fds, refusals = socket.send_fds, iter([errno.EMSGSIZE, errno.EMSGSIZE])

    def of_macos(sock: socket.socket, data: list[bytes], fds: list[int]) -> int:
        if (code := next(refusals, None)) is not None:
            raise OSError(code, os.strerror(code))
        return send_fds(sock, data, fds)

    monkeypatch.setattr(socket, "send_fds", of_macos)
    ours, theirs = Pipe()
    with ours, theirs, open(os.devnull, "wb") as log:
        hand_over(ours, os.getpid(), None, log.fileno())
        listener, output = take_over(theirs)
        assert listener is None
        assert os.path.samestat(os.fstat(output), os.fstat(log.fileno()))
    os.close(output)
