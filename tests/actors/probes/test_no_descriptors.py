"""Checks of a runtime that has no descriptor left to ask by: they come again."""

from __future__ import annotations

import errno
import os
import queue
import select
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from bundlevisor.actors.loop.reactor import Loop
from bundlevisor.actors.probes import sock_diag
from bundlevisor.actors.probes.checks import Target
from bundlevisor.actors.probes.listen_watch import Listening
from bundlevisor.actors.probes.probing import Probing
from bundlevisor.actors.probes.schedule import ProbeStats
from bundlevisor.actors.probes.stop_request import request_stop
from bundlevisor.actors.process import children
from bundlevisor.manifest.format.probe import Health
from bundlevisor.manifest.plan.readiness import Condition, Criterion
from tests.actors.probes.test_checks import answering, patient, port_of
from tests.waiting import WITHIN, wait_until


def no_descriptors(monkeypatch: pytest.MonkeyPatch, times: int = 1) -> None:
    """Have the next sockets of checks refused, as where all descriptors are in use."""
    refusals = iter(range(times))

    def refused(*arguments: Any) -> socket.socket:
        if next(refusals, None) is not None:
            raise OSError(errno.EMFILE, "Too many open files")
        return socket.socket(*arguments)

    monkeypatch.setattr("bundlevisor.actors.probes.checks.new_socket", refused)


def test_readiness_is_asked_again_where_there_was_no_descriptor_to_ask_by(
    loop: Loop, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_descriptors(monkeypatch)
    answering(listener, b"HTTP/1.1 200 OK\r\n\r\n")
    told: queue.Queue[str] = queue.Queue()
    target = Target(port_of(listener))
    probing = Probing(loop, Listening(loop), target, ProbeStats())
    criterion, health = Criterion(Condition.HEALTHY), patient()
    probing.until_ready(criterion, health, lambda: told.put("well"), lambda: None)
    assert told.get(timeout=WITHIN) == "well"


def no_ports(monkeypatch: pytest.MonkeyPatch, times: int = 1) -> None:
    """Have the next connections of checks refused, as where all ephemeral ports are in use."""
    refusals = iter(range(times))

    class Refused(socket.socket):
        def connect_ex(self, address: Any) -> int:
            if next(refusals, None) is not None:
                return errno.EADDRNOTAVAIL
            return super().connect_ex(address)

    monkeypatch.setattr("bundlevisor.actors.probes.checks.new_socket", Refused)


@pytest.mark.parametrize("lacking", [no_descriptors, no_ports])
def test_that_there_was_nothing_to_ask_by_says_nothing_of_a_service_and_it_is_asked_again(
    loop: Loop,
    listener: socket.socket,
    monkeypatch: pytest.MonkeyPatch,
    lacking: Callable[[pytest.MonkeyPatch, int], None],
) -> None:
    lacking(monkeypatch, 3)
    answering(listener, b"HTTP/1.1 500 No\r\n\r\n")
    told: queue.Queue[str] = queue.Queue()
    probing = Probing(loop, Listening(loop), Target(port_of(listener)), ProbeStats())
    probing.watch(patient(interval_ms=10), told.put)
    assert told.get(timeout=WITHIN) == "HTTP 500"
    probing.stop()


@pytest.mark.skipif(sys.platform == "win32", reason="the command is a shell's")
@pytest.mark.parametrize("lacking", [errno.EMFILE, errno.EAGAIN, errno.ENOMEM])
def test_a_health_command_that_we_cannot_start_says_nothing_of_a_service(
    loop: Loop, monkeypatch: pytest.MonkeyPatch, lacking: int
) -> None:
    refusals, spawn = iter(range(3)), children.spawn

    def refused(launch: children.SpawnRequest) -> children.Child:
        if next(refusals, None) is not None:
            raise OSError(lacking, os.strerror(lacking))
        return spawn(launch)

    monkeypatch.setattr(children, "spawn", refused)
    told: queue.Queue[str] = queue.Queue()
    target = Target(None, ["/bin/sh", "-c", "exit 3"], {}, "/")
    probing = Probing(loop, Listening(loop), target, ProbeStats())
    probing.watch(Health(type="command", timeout_ms=100_000, interval_ms=10), told.put)
    assert told.get(timeout=WITHIN) == "health command: exit 3"
    probing.stop()


def test_a_stop_that_cannot_be_asked_for_is_refused(
    loop: Loop, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_descriptors(monkeypatch)
    refused = threading.Event()
    request_stop(loop, port_of(listener), "/stop", refused.set)
    assert refused.wait(WITHIN)


def test_a_listener_is_looked_for_again_where_there_was_no_descriptor(
    loop: Loop, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_descriptors(monkeypatch)
    monkeypatch.setattr(Listening, "_ask", Listening._try_all)
    told = threading.Event()
    loop.call_soon(lambda: Listening(loop).when(port_of(listener), told.set))
    assert told.wait(WITHIN)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a connection tells")
def test_a_listener_is_not_connected_to_for_ever_because_there_was_no_descriptor_once(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    netlink = sock_diag.netlink

    def refused() -> socket.socket:
        looks.append(1)
        if len(looks) == 1:
            raise OSError(errno.EMFILE, "Too many open files")
        return netlink()

    monkeypatch.setattr(sock_diag, "netlink", refused)
    told, looked = threading.Event(), threading.Event()
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        loop.call_soon(lambda: Listening(loop).when(port_of(server), told.set))
        wait_until(lambda: looks, what="the first look")
        loop.call_soon(looked.set)
        assert looked.wait(WITHIN)
        server.listen()
        assert told.wait(WITHIN)
        assert not select.select([server], [], [], 0)[0]
