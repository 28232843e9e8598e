"""A loop on which nothing may go wrong, and somebody to ask."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from bundlevisor.actors.loop.reactor import Loop


@pytest.fixture
def loop() -> Iterator[Loop]:
    faults: list[tuple[str, BaseException]] = []
    turning = Loop("test", lambda what, error: faults.append((what, error)))
    turning.start()
    yield turning
    turning.stop()
    assert not faults


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server
