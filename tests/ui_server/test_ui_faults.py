"""What a page's server does without what it needs."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import ExitStack
from typing import Any

import pytest


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
    resource.prlimit(pid, limit, (len(os.listdir(f"/proc/{pid}/fd")) + 2, before[1]))
    with ExitStack() as held:
        for _ in range(8):
            held.enter_context(socket.create_connection(("127.0.0.1", ui.port)))
        until(lambda: "Too many open files" in ui.log, "it says so")
        assert ui.process.poll() is None
        resource.prlimit(pid, limit, before)
    assert ui.ask("/").body == b"hello"
