"""When a tree is over: what is gone at once, as if killed on Windows, when its exit is told."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from bundlevisor.actors.incarnation import EXIT_WITHIN, Incarnation
from bundlevisor.actors.launch.inputs import StartInputs
from bundlevisor.manifest.format.policy import StopPolicy
from bundlevisor.manifest.plan.readiness import Condition

NUMBER = 3


class Child:
    """A process that has ended, and nothing of it is left."""

    instance = "one-3"

    def poll(self) -> int:
        return 1

    def survivors(self) -> list[int]:
        return []


@pytest.fixture
def gone() -> Incarnation:
    spec: Any = SimpleNamespace(
        criterion=SimpleNamespace(condition=Condition.ALIVE),
        service=SimpleNamespace(stop=StopPolicy()),
        instance=lambda number: f"one-{number}",
    )
    context: Any = SimpleNamespace(log=lambda _: None, loop=None, guardian=None)
    made = Incarnation(spec, context, StartInputs({}), NUMBER, lambda _: None)
    made.adopt(cast("Any", Child()))
    return made


def test_it_is_over_when_its_exit_has_been_told(gone: Incarnation) -> None:
    assert not gone.is_over()
    gone.hear_exit(NUMBER - 1)
    assert not gone.is_over(), "the exit of an earlier start is not that of this one"
    gone.hear_exit(NUMBER)
    assert gone.is_over()
    gone.hear_exit(NUMBER - 1)
    assert gone.is_over()


def test_an_exit_that_nobody_tells_does_not_keep_a_stop_for_ever(
    gone: Incarnation, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    assert not gone.is_over()
    now[0] += EXIT_WITHIN * 0.9
    assert not gone.is_over()
    now[0] += EXIT_WITHIN * 0.2
    assert gone.is_over()


def test_what_will_not_end_is_looked_at_less_and_less_often(
    gone: Incarnation, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])

    def pauses() -> list[float]:
        found = []
        for seconds in (0, 1, 3600):
            now[0] += seconds
            found.append(round(gone.stop.until_next_look(), 3))
        return found

    assert pauses() == [0.005, 0.05, 0.1]
    gone.stop.insist()
    assert pauses() == [0.005, 0.05, 0.1], "after a kill it is looked at as closely as at first"
