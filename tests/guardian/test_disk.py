"""The guardian's work on files: in order, beside, bounded."""

from __future__ import annotations

import threading

import pytest

from bundlevisor.actors.guardian import system
from bundlevisor.actors.guardian.disk import MOST, Disk


def test_what_is_given_is_done_in_order_whatever_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(system, "tell_system_log", said.append)
    disk, done = Disk(), []
    disk.do(lambda: done.append(1))
    disk.do(lambda: 1 / 0)
    disk.do(lambda: done.append(2))
    assert disk.finish(10)
    assert done == [1, 2]
    (line,) = said
    assert "ZeroDivisionError" in line


def test_nobody_waits_for_one_that_hangs_and_what_waits_is_bounded() -> None:
    disk, thaw, done = Disk(), threading.Event(), []
    disk.do(lambda: thaw.wait(30))
    assert disk.do(lambda: done.append("large"), MOST)
    assert not disk.do(lambda: done.append("too much"), 1)
    assert disk.do(lambda: done.append("without a size"))
    assert not disk.finish(0.01)
    thaw.set()
    assert disk.finish(10)
    assert done == ["large", "without a size"]
