"""Where the system tells late of a refusal: a check that is over before says what that means."""

from __future__ import annotations

import queue
import socket
import sys
from contextlib import ExitStack

import pytest

from bundlevisor.actors.loop.reactor import Loop
from bundlevisor.actors.probes import closed_port
from bundlevisor.actors.probes.checks import TcpCheck
from tests.waiting import WITHIN

if sys.platform != "linux":
    pytest.skip("the attempts that stay under way are Linux'", allow_module_level=True)


@pytest.mark.parametrize("told_late", [False, True])
def test_a_connection_that_is_still_under_way(
    loop: Loop, told_late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closed_port, "TOLD_LATE", told_late)
    told = queue.Queue[str]()
    with socket.socket() as server, ExitStack() as waiting:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        port = server.getsockname()[1]
        for _ in range(4):  # more than the backlog takes: Linux drops what comes after
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        loop.call_soon(lambda: TcpCheck(loop, port, 0.05, told.put))
        said = told.get(timeout=WITHIN)
    late = f"no answer on port {port} in time"
    assert said == (f"nothing listens on port {port}" if told_late else late)
