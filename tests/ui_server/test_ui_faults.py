"""What a page's server does without what it needs."""

from __future__ import annotations

import itertools
import os
import socket
import sys
from contextlib import ExitStack
from http.client import HTTPConnection
from typing import Any

import pytest

from tests.waiting import WITHIN


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of another process is set")
def test_a_server_that_has_no_descriptor_left_serves_on_when_there_are_some(
    serving: Any, tmp_path: Any, until: Any
) -> None:
    import resource

    (tmp_path / "index.html").write_text("hello")
    ui = serving(tmp_path, proxied=False)
    assert ui.ask("/").body == b"hello"
    pid, limit = ui.process.pid, resource.RLIMIT_NOFILE
    before = resource.prlimit(pid, limit)
    with ExitStack() as held:
        asking = HTTPConnection("127.0.0.1", ui.port, timeout=WITHIN)
        held.callback(asking.close)

        def refused() -> bytes | None:
            used = {int(fd) for fd in os.listdir(f"/proc/{pid}/fd")}
            free = next(fd for fd in itertools.count() if fd not in used)
            resource.prlimit(pid, limit, (free, before[1]))
            asking.request("GET", "/")
            answer = asking.getresponse()
            told = answer.read()
            assert answer.status in (200, 503), "it is no file that is not there"
            return told if answer.headers["Retry-After"] == "1" else None

        asking.request("GET", "/")
        assert asking.getresponse().read() == b"hello"  # it has been accepted
        assert b"Too many open files" in until(refused, "no file can be looked for")
        for _ in range(8):
            held.enter_context(socket.create_connection(("127.0.0.1", ui.port)))
        until(lambda: "Too many open files" in ui.log, "it says so")
        assert ui.process.poll() is None
        resource.prlimit(pid, limit, before)
    assert ui.ask("/").body == b"hello"
