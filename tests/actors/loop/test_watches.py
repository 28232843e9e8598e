"""Descriptors that the loop watches, broken ones too."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from functools import partial

import pytest

from bundlevisor.actors.loop.reactor import GIVE_UP_AFTER, Loop
from tests import absent
from tests.actors.loop.on_loop import PATIENCE, Reports, result_of
from tests.waiting import wait_until


def test_a_watch_that_always_raises_is_dropped_instead_of_spinning(
    loop: Loop, reports: Reports
) -> None:
    ours, theirs = socket.socketpair()

    def broken() -> None:
        raise ValueError("on purpose")

    with ours, theirs:
        theirs.send(b"never read")
        result_of(loop, lambda: loop.watch(ours.fileno(), broken))
        wait_until(
            lambda: any(what.endswith(" dropped") for what, _ in reports), PATIENCE, "the drop"
        )
        assert len(reports) == GIVE_UP_AFTER + 1
        assert result_of(loop, lambda: loop.unwatch(ours.fileno())) is False


def test_a_descriptor_can_be_watched_for_both_and_again_and_forgotten(loop: Loop) -> None:
    ours, theirs = socket.socketpair()
    heard: list[str] = []

    def read() -> None:
        heard.append(ours.recv(100).decode())

    def write() -> None:
        heard.append("writable")
        loop.watch(ours.fileno(), read)

    with ours, theirs:
        result_of(loop, lambda: loop.watch(ours.fileno(), None, write))
        wait_until(lambda: heard == ["writable"], PATIENCE, "the write callback")
        theirs.send(b"one")
        wait_until(lambda: heard == ["writable", "one"], PATIENCE, "the read callback")
        assert result_of(loop, lambda: loop.unwatch(ours.fileno())) is True
        theirs.send(b"two")
        result_of(loop, lambda: None)
        result_of(loop, lambda: None)
        assert heard == ["writable", "one"]


def test_a_watch_that_is_taken_away_in_the_same_turn_is_not_called(loop: Loop) -> None:
    pairs = [socket.socketpair() for _ in range(2)]
    called: list[int] = []

    def read(mine: int) -> None:
        called.append(mine)
        for ours, _ in pairs:
            loop.unwatch(ours.fileno())

    def watch_both() -> None:
        for number, (ours, _) in enumerate(pairs):
            loop.watch(ours.fileno(), partial(read, number))

    for _, theirs in pairs:
        theirs.send(b"x")
    result_of(loop, watch_both)
    wait_until(lambda: called, PATIENCE, "one of the callbacks")
    result_of(loop, lambda: None)
    result_of(loop, lambda: None)
    assert len(called) == 1
    for ours, theirs in pairs:
        ours.close()
        theirs.close()


def test_what_has_come_before_a_timer_is_due_is_seen_before_it(loop: Loop) -> None:
    """Though the loop was busy until then; services were unhealthy that had answered."""
    ours, theirs = socket.socketpair()
    seen: list[str] = []

    def read() -> None:
        loop.unwatch(ours.fileno())
        seen.append("answer")

    def be_late() -> None:
        loop.watch(ours.fileno(), read)
        theirs.send(b"x")
        loop.call_at(time.monotonic(), lambda: seen.append("too late"))

    loop.call_soon(be_late)
    wait_until(lambda: len(seen) == 2, PATIENCE, "both")
    assert seen == ["answer", "too late"]
    ours.close()
    theirs.close()


@absent.unless(hasattr(os, "pidfd_open"), "pidfd_open(2)")
def test_the_exit_of_a_process_wakes_the_loop(loop: Loop) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    fd = os.pidfd_open(child.pid)
    ended = threading.Event()

    def gone() -> None:
        loop.unwatch(fd)
        ended.set()

    result_of(loop, lambda: loop.watch(fd, gone))
    assert not ended.is_set()
    child.send_signal(signal.SIGKILL)
    assert ended.wait(PATIENCE)
    child.communicate()
    os.close(fd)


def test_a_descriptor_closed_under_its_watch_does_not_end_the_loop(loop: Loop) -> None:
    ours, theirs = socket.socketpair()
    result_of(loop, lambda: loop.watch(ours.fileno(), lambda: None))
    ours.close()
    theirs.close()
    pair = socket.socketpair()
    heard: list[bytes] = []
    result_of(loop, lambda: loop.watch(pair[0].fileno(), lambda: heard.append(pair[0].recv(1))))
    pair[1].send(b"x")
    wait_until(lambda: heard, PATIENCE, "the new socket's byte")
    result_of(loop, lambda: loop.unwatch(pair[0].fileno()))
    for end in pair:
        end.close()


def test_a_broken_descriptor_is_found_and_dropped(
    loop: Loop, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = socket.socketpair()
    number = ours.fileno()
    result_of(loop, lambda: loop.watch(number, lambda: None))
    ours.close()
    theirs.close()
    result_of(loop, loop._drop_broken)
    assert any(f"descriptor {number} dropped" in what for what, _ in reports)
    assert result_of(loop, lambda: loop.unwatch(number)) is False
