"""What is reckoned with moments while somebody sets the clock."""

from __future__ import annotations

import time

import pytest

from bundlevisor.actors.loop import wall_time
from bundlevisor.actors.loop.wall_time import moment, set_by

DAY = 86_400.0


@pytest.mark.parametrize("step", [-DAY, 56 * 365 * DAY])
def test_a_moment_is_of_the_clock_as_it_was_and_what_it_lacks_is_known(
    monkeypatch: pytest.MonkeyPatch, step: float
) -> None:
    clock, before = time.time, moment()
    assert abs(set_by()) < DAY
    monkeypatch.setattr(time, "time", lambda: clock() + step)
    assert 0 <= moment() - before < DAY
    assert abs(set_by() - step) < DAY


def test_who_is_held_up_between_two_readings_takes_no_clock_for_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    boot = iter([3.5, 3.0, 3.0])
    monkeypatch.setattr(wall_time, "_BOOTED", 97.0)
    monkeypatch.setattr(wall_time, "since_boot", boot.__next__)
    monkeypatch.setattr(time, "time", lambda: 100.0)
    assert set_by() == 0.0
