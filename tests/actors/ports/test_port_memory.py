"""The choice of ports is on disk when the runtime has ended, and it is the last one."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from bundlevisor.actors.files import atomic
from bundlevisor.actors.ports import remembered
from bundlevisor.actors.ports.remembered import PortMemory


def test_the_end_waits_for_a_slow_disk_and_the_last_choice_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, write = threading.Event(), atomic.write

    def slowly(path: str, data: bytes) -> None:
        go_on.wait(30)
        write(path, data)

    monkeypatch.setattr(atomic, "write", slowly)
    memory = PortMemory(str(tmp_path), pytest.fail)
    for port in (1001, 1002, 1003):
        memory.put({"a": {"http": port}})
    memory.close(0.0)
    assert remembered.peek(str(tmp_path)) == {}
    go_on.set()
    memory.close(30.0)
    assert remembered.peek(str(tmp_path)) == {"a": {"http": 1003}}


def test_a_disk_that_refuses_is_told(tmp_path: Path) -> None:
    (tmp_path / "runtime").write_text("a file in the folder's place")
    told: list[str] = []
    memory = PortMemory(str(tmp_path), told.append)
    memory.put({"a": {"http": 1001}})
    memory.close(30.0)
    (said,) = told
    assert said.startswith("the choice of ports could not be remembered: ")


def test_without_a_thread_to_be_had_it_is_told_and_all_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    told: list[str] = []
    memory = PortMemory(str(tmp_path), told.append)
    with monkeypatch.context() as none_is_had:
        none_is_had.setattr(threading.Thread, "start", refuse)
        memory.put({"a": {"http": 1001}})
    memory.close(0.0)
    assert told == ["the choice of ports could not be remembered: can't start new thread"]
