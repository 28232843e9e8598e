"""Time in which nobody looked was no time at work."""

from __future__ import annotations

import time

import pytest

from bundlevisor.actors.loop.working_time import HELD, WorkingTime


def test_time_stands_still_while_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    real = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: real[0])
    clock = WorkingTime()
    began = clock.now()
    for passed, counted in ((0.3, 0.3), (60.0, HELD), (0.2, 0.2)):
        before = clock.now()
        real[0] += passed
        assert clock.now() - before == pytest.approx(counted)
    assert clock.now() - began < 2
