"""Ports that nobody listens on."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from bundlevisor.actors.loop.reactor import Loop
from bundlevisor.actors.probes import closed_port
from bundlevisor.actors.probes.listen_watch import Listening
from bundlevisor.actors.probes.listeners import listens_on_ipv6
from bundlevisor.testing.ports import free_block
from tests.windows import started as services

assert sys.platform == "win32"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, bytes]]:
    """Return the requests to Winsock; Wine refuses them."""
    seen: list[tuple[int, bytes]] = []

    def ioctl(_socket: int, code: int, data: bytes, *_rest: object) -> None:
        seen.append((code, data))

    monkeypatch.setattr(closed_port, "_ioctl", ioctl)
    return seen


@pytest.fixture
def loop() -> Iterator[Loop]:
    turning = Loop("tests", lambda *_: None)
    turning.start()
    yield turning
    turning.stop()


def test_who_waits_for_a_listener_has_windows_believe_a_refusal(
    loop: Loop, asked: list[tuple[int, bytes]]
) -> None:
    waiting = Listening(loop)
    port = free_block(1)
    keys: list[object] = []
    loop.call_soon(lambda: keys.append(waiting.when(port, lambda: None)))
    services.wait_until(lambda: len(asked) > 1, "a second look at the port")
    loop.call_soon(lambda: waiting.cancel(keys[0]))
    assert set(asked) == {(0x98000011, b"\xff\xff\xfe\0")}


def test_a_listener_on_ipv6_is_looked_for_without_windows_patience(
    asked: list[tuple[int, bytes]],
) -> None:
    assert not listens_on_ipv6(free_block(1))
    assert asked == [(0x98000011, b"\xff\xff\xfe\0")]
