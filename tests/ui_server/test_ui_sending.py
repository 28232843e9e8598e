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


def asked(site: Path, fields: str = "") -> bytes:
    """Return all that the server answers who asks for ``big.bin``."""
    threads = set(threading.enumerate())

    async def run() -> bytes:
        config = UiConfig(service_id="ui", root=str(site), port=0)
        port = Port(config, ConnectionLimit(9), RoundLimit(), PageLog(2))
        listener = socket.create_server(("127.0.0.1", 0))
        await port.open(listener)
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        head = "GET /big.bin HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        writer.write(f"{head}{fields}\r\n".encode())
        answer = await reader.read()
        writer.close()
        assert set(threading.enumerate()) <= threads
        await port.close()
        return answer

    return asyncio.run(asyncio.wait_for(run(), 20))


@pytest.mark.parametrize("wanted", ["", "Range: bytes=0-999999,2000000-2999999\r\n"])
def test_a_file_that_the_system_cannot_send_is_read_and_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EINVAL, "not for this file system")

    monkeypatch.setattr(os, "sendfile", refuse, raising=False)
    content = os.urandom(3_000_000)
    (tmp_path / "big.bin").write_bytes(content)
    answer = asked(tmp_path, wanted)
    if wanted:
        assert content[:1_000_000] in answer
        assert content[2_000_000:] in answer
    else:
        assert answer.endswith(b"\r\n\r\n" + content)


def test_a_client_that_goes_away_before_the_system_sends_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    async def gone(*_: object, **__: object) -> int:
        raise OSError(errno.ENOTCONN, "the socket is not connected")  # TransmitFile's, on Windows

    monkeypatch.setattr(asyncio.BaseEventLoop, "sendfile", gone)
    (tmp_path / "big.bin").write_bytes(bytes(3_000_000))
    assert asked(tmp_path).endswith(b"\r\n\r\n")
    assert "Traceback" not in capfd.readouterr().err
