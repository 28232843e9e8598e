"""Files get to the client whole on any file system, without threads."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import threading
from pathlib import Path

import pytest

from bundlevisor.actors.ui_server.config import UiConfig
from bundlevisor.actors.ui_server.server.connection_limit import ConnectionLimit
from bundlevisor.actors.ui_server.server.page_log import PageLog
from bundlevisor.actors.ui_server.server.port import Port
from bundlevisor.actors.ui_server.server.round_limit import RoundLimit


@pytest.mark.parametrize("wanted", ["", "Range: bytes=0-999999,2000000-2999999\r\n"])
def test_a_file_that_the_system_cannot_send_is_read_and_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EINVAL, "not for this file system")

    monkeypatch.setattr(os, "sendfile", refuse, raising=False)
    content = os.urandom(3_000_000)
    (tmp_path / "big.bin").write_bytes(content)
    threads = set(threading.enumerate())

    async def run() -> bytes:
        config = UiConfig(service_id="ui", root=str(tmp_path), port=0)
        port = Port(config, ConnectionLimit(9), RoundLimit(), PageLog(2))
        listener = socket.create_server(("127.0.0.1", 0))
        await port.open(listener)
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        head = "GET /big.bin HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        writer.write(f"{head}{wanted}\r\n".encode())
        answer = await reader.read()
        writer.close()
        assert set(threading.enumerate()) <= threads
        await port.close()
        return answer

    answer = asyncio.run(asyncio.wait_for(run(), 20))
    if wanted:
        assert content[:1_000_000] in answer
        assert content[2_000_000:] in answer
    else:
        assert answer.endswith(b"\r\n\r\n" + content)
