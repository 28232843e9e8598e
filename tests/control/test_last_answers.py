"""How long answers on their way are waited for when the server ends."""

from __future__ import annotations

import time

import pytest

from bundlevisor.control.http.last_answers import LastAnswers


class Clock:
    now = 100.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    return clock


def test_nobody_who_gets_nothing_is_waited_for_any_longer(clock: Clock) -> None:
    last = LastAnswers(1.0, 5.0)
    last.go_on(99.9)
    assert last.left == pytest.approx(1.0)
    clock.now = 101.0
    assert last.left == 0


def test_those_who_get_on_are_waited_for_to_the_bound(clock: Clock) -> None:
    last = LastAnswers(1.0, 5.0)
    clock.now = 100.9
    last.go_on(100.8)
    assert last.left == pytest.approx(0.9)
    clock.now = 104.9
    last.go_on(104.8)
    assert last.left == pytest.approx(0.1)


def test_without_a_bound_it_is_the_timeout(clock: Clock) -> None:
    last = LastAnswers(1.0, 0.0)
    last.go_on(100.5)
    assert last.left == pytest.approx(1.0)
