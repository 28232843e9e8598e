"""The answer of a health check is looked for once before its connection is waited on."""

from __future__ import annotations

import os
import queue
import socket
import sys
from collections.abc import Callable, Iterator

import pytest

from bundlevisor.actors.loop.reactor import Loop
from bundlevisor.actors.probes.checks import HttpCheck
from bundlevisor.actors.probes.command_check import CommandCheck
from tests.waiting import WITHIN

WELL = b"HTTP/1.1 204 No Content\r\n\r\n"


class Counting(Loop):
    """Keeps what it has waited on."""

    def __init__(self) -> None:
        self.faults: list[BaseException] = []
        super().__init__("test", lambda _, error: self.faults.append(error))
        self.waited_on: list[int] = []

    def watch(
        self, fd: int, read: Callable[[], object] | None, write: Callable[[], object] | None = None
    ) -> None:
        self.waited_on.append(fd)
        super().watch(fd, read, write)


@pytest.fixture
def loop() -> Iterator[Counting]:
    turning = Counting()
    turning.start()
    yield turning
    turning.stop()
    assert not turning.faults


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(WITHIN)
        yield server


class Asked:
    """A check that is begun on the loop's thread, where nothing else is done meanwhile."""

    def __init__(self, loop: Loop, listener: socket.socket, timeout: float = WITHIN) -> None:
        self.answers: queue.Queue[str] = queue.Queue()
        port = listener.getsockname()[1]
        self.check = HttpCheck(loop, port, "/health", timeout, self.answers.put)
        self.connection, _ = listener.accept()
        self.connection.recv(65536)

    def answer(self) -> None:
        with self.connection:
            self.connection.sendall(WELL)


def on_loop(loop: Loop, do: Callable[[], Asked]) -> Asked:
    done: queue.Queue[Asked] = queue.Queue()
    loop.call_soon(lambda: done.put(do()))
    return done.get(timeout=WITHIN)


def test_who_has_answered_when_the_others_have_been_asked_is_not_waited_on(
    loop: Counting, listener: socket.socket
) -> None:
    def begin() -> Asked:
        asked = Asked(loop, listener)
        asked.answer()
        return asked

    assert on_loop(loop, begin).answers.get(timeout=WITHIN) == ""
    assert loop.waited_on == []


def test_who_answers_later_is_waited_on(loop: Counting, listener: socket.socket) -> None:
    asked = on_loop(loop, lambda: Asked(loop, listener))
    asked.answer()
    assert asked.answers.get(timeout=WITHIN) == ""


def test_a_check_that_is_cancelled_before_that_look_tells_nothing(
    loop: Counting, listener: socket.socket
) -> None:
    def begin() -> Asked:
        asked = Asked(loop, listener)
        asked.answer()
        asked.check.cancel()
        return asked

    asked = on_loop(loop, begin)
    on_loop(loop, lambda: asked)  # the look was to come before this
    assert asked.answers.empty()
    assert loop.waited_on == []


def test_an_answer_that_came_while_the_loop_was_busy_is_no_late_one(
    loop: Counting, listener: socket.socket
) -> None:
    def begin() -> Asked:
        asked = Asked(loop, listener, timeout=0.0)
        asked.answer()
        return asked

    assert on_loop(loop, begin).answers.get(timeout=WITHIN) == ""


if sys.platform != "win32":

    def test_a_command_that_ended_while_the_loop_was_busy_is_no_late_one(loop: Counting) -> None:
        verdicts: queue.Queue[str] = queue.Queue()

        def begin() -> None:
            check = CommandCheck(loop, ["/bin/sh", "-c", ":"], {}, "/", 0.0, verdicts.put)
            assert check._child is not None
            os.waitid(os.P_PID, check._child.pid, os.WEXITED | os.WNOWAIT)

        loop.call_soon(begin)
        assert verdicts.get(timeout=WITHIN) == ""
