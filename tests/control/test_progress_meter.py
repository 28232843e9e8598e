"""How far a start is, as it is remembered between those who ask."""

from __future__ import annotations

from bundlevisor.actors.core.snapshot import Phase, ServiceView, Snapshot, State
from bundlevisor.control.run.progress_meter import FRESH, ProgressMeter


class Clock:
    """Both clocks, which stand until they are set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def snapshot(*states: State) -> Snapshot:
    services = {
        f"s{n}": ServiceView(
            id=f"s{n}", state=state, message="", updated_at=1000.0, begun_at=1000.0, pid=7
        )
        for n, state in enumerate(states)
    }
    return Snapshot(version=1, phase=Phase.RUNNING, services=services)


STARTING, READY, BACKOFF = State.STARTING, State.READY, State.BACKOFF


def meter(clock: Clock) -> ProgressMeter:
    made = ProgressMeter({}, lambda view: f"{view.id} at {clock.now:g}", clock, clock)
    made.learn({"s0": 10.0, "s1": 10.0})
    return made


def test_a_service_that_fails_and_starts_anew_takes_nothing_back() -> None:
    clock = Clock()
    made = meter(clock)
    clock.now += 8
    assert made.measure(snapshot(STARTING, STARTING)).fraction == 0.8
    assert made.measure(snapshot(STARTING, BACKOFF)).fraction == 0.8
    assert made.measure(snapshot(READY, BACKOFF)).fraction == 0.8
    assert made.measure(snapshot(READY, STARTING)).fraction == 0.9


def test_what_is_started_when_all_was_ready_is_another_start() -> None:
    made = meter(Clock())
    assert made.measure(snapshot(READY, READY)).fraction == 1.0
    assert made.measure(snapshot(READY, BACKOFF)).fraction == 0.5


def test_many_who_ask_at_once_are_told_the_same() -> None:
    clock = Clock()
    made, one = meter(clock), snapshot(STARTING)
    found = made.measure(one)
    clock.now += FRESH / 2
    assert made.measure(one) is found
    clock.now += FRESH
    assert made.measure(one).last_line != found.last_line
    other = snapshot(READY)
    assert made.measure(other).done == 1


def test_what_is_learned_counts_at_once() -> None:
    clock = Clock()
    made, one = meter(clock), snapshot(STARTING)
    assert made.measure(one).remaining_s == 10.0
    made.learn({"s0": 4.0})
    assert made.measure(one).remaining_s == 4.0
