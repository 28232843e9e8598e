from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from bundlevisor.control.http.server import ControlServer
from tests.control.fake_runtime import FakeRuntime
from tests.control.wire import TOKEN, Api


def listen() -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    return listener


@pytest.fixture
def runtime() -> FakeRuntime:
    return FakeRuntime()


@pytest.fixture
def server(runtime: FakeRuntime) -> Iterator[tuple[ControlServer, int]]:
    listener = listen()
    port = listener.getsockname()[1]
    control = ControlServer(runtime, TOKEN, listener)
    control.start()
    yield control, port
    runtime.hold.set()
    control.stop(2)
    assert not [fault for fault in runtime.faults if "expected" not in str(fault[1])]


@pytest.fixture
def api(server: tuple[ControlServer, int]) -> Iterator[Api]:
    client = Api(server[1])
    yield client
    for streamed in client.opened:
        streamed.close()
