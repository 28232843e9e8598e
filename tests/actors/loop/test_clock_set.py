"""What is reckoned with moments while somebody sets the clock."""

from __future__ import annotations

import time

import pytest

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
