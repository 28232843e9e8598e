"""Who follows ends with its reader also on macOS, whose poll(2) tells only what is asked for."""

from __future__ import annotations

import os
import select
import sys
import threading
from types import SimpleNamespace

import pytest

from bundlevisor.control.cli import lost_reader

if sys.platform == "win32":
    pytest.skip("no thread can wait for a pipe's other end there", allow_module_level=True)


class PollOfMacOS:
    """As xnu's poll_nocancel: where no event is asked for, it waits for good."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._asked = 0

    def register(self, fd: int, events: int) -> None:
        self._poll.register(fd, events)
        self._asked = events

    def poll(self) -> list[tuple[int, int]]:
        if not self._asked:
            sys.exit("the thread waits for good")
        return self._poll.poll()


def test_a_pipe_without_a_reader_ends_it_on_macos(monkeypatch: pytest.MonkeyPatch) -> None:
    ear, out = os.pipe()
    os.close(ear)
    ended: list[int] = []
    of_macos = SimpleNamespace(poll=PollOfMacOS, POLLHUP=select.POLLHUP)
    monkeypatch.setattr(lost_reader, "select", of_macos)
    monkeypatch.setattr(lost_reader, "os", SimpleNamespace(fstat=os.fstat, _exit=ended.append))
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(fileno=lambda: out))
    before = set(threading.enumerate())
    try:
        lost_reader.end_with_reader()
        for one in set(threading.enumerate()) - before:
            one.join(60)
    finally:
        os.close(out)
    assert ended == [0]
