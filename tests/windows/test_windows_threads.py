"""What a thread of its own waits for: a pipe, an exit; also where none is to be had at first."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

from bundlevisor.actors.logs import pipes_windows
from bundlevisor.actors.loop.reactor import Loop
from bundlevisor.actors.loop.thread_start import start_thread
from bundlevisor.actors.process.windows import exit_event
from tests.waiting import WITHIN, wait_until

assert sys.platform == "win32"

MOST = 1_000_000


@pytest.fixture
def loop() -> Iterator[Loop]:
    faults: list[BaseException] = []
    turning = Loop("test", lambda _, error: faults.append(error))
    turning.start()
    yield turning
    turning.stop()
    assert not faults


def refuse_threads(module: ModuleType, times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    left = iter(range(times))

    def refuse(run: Callable[[], object]) -> None:
        if next(left, None) is not None:
            raise RuntimeError("can't start new thread")
        start_thread(run)

    monkeypatch.setattr(module, "start_thread", refuse)


def test_a_pipe_without_a_thread_is_read_once_there_is_one(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_threads(pipes_windows, 2, monkeypatch)
    taken: list[bytes] = []
    ended = threading.Event()
    read, write = pipes_windows.make()
    loop.call_soon(pipes_windows.PipeReader(loop, read, taken.append, ended.set).start)
    os.write(write, b"said meanwhile\n")
    os.close(write)
    assert ended.wait(WITHIN)
    assert b"".join(taken) == b"said meanwhile\n"


@pytest.mark.parametrize("refusals", [0, MOST])
def test_a_reader_that_is_closed_lets_go_of_its_pipe(
    loop: Loop, monkeypatch: pytest.MonkeyPatch, refusals: int
) -> None:
    refuse_threads(pipes_windows, refusals, monkeypatch)
    read, write = pipes_windows.make()
    reader = pipes_windows.PipeReader(loop, read, bytes, bytes)
    loop.call_soon(reader.start)
    loop.call_soon(reader.close)

    def is_let_go() -> bool:
        try:
            os.write(write, b"does anybody hear?\n")
        except OSError:
            return True
        return False

    wait_until(is_let_go, what="the end of the pipe")
    os.close(write)


def test_the_end_of_a_process_without_a_thread_is_told_once_there_is_one(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_threads(exit_event, 2, monkeypatch)
    told = threading.Event()
    with subprocess.Popen([sys.executable, "-c", "pass"]) as child:
        exit_event.watch_process(loop, child.pid, told.set)
        assert told.wait(WITHIN)
