"""The restart policy: tables over a pure function."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from bundlevisor.actors.core.restart import Again, GiveUp, History, after_exit, backoff, with_group
from bundlevisor.manifest.format.policy import RestartPolicy, Supervision

DEFAULT = RestartPolicy()
NONE = History()


def decide(
    policy: RestartPolicy = DEFAULT, history: History = NONE, **changes: Any
) -> Again | GiveUp:
    given: dict[str, Any] = {
        "now": 1000.0,
        "ready_for": 1.0,
        "clean": False,
        "cause": "exit 1",
        "jitter": 0.5,
        **changes,
    }
    return after_exit(policy, history, **given)


@pytest.mark.parametrize(
    ("policy", "clean", "restarts"),
    [
        ("always", True, True),
        ("always", False, True),
        ("on_failure", True, False),
        ("on_failure", False, True),
        ("never", True, False),
        ("never", False, False),
    ],
)
def test_the_policy_says_which_ends_are_followed_by_a_restart(
    policy: Any, clean: bool, restarts: bool
) -> None:
    decision = decide(RestartPolicy(policy=policy), clean=clean)
    assert isinstance(decision, Again if restarts else GiveUp)


def test_only_an_end_that_was_not_clean_is_a_failure() -> None:
    assert decide(RestartPolicy(policy="never"), clean=False) == GiveUp("exit 1", failed=True)
    assert decide(RestartPolicy(policy="never"), clean=True) == GiveUp("exit 1", failed=False)


def test_the_first_restart_of_a_service_that_was_ready_is_immediate() -> None:
    decision = decide()
    assert isinstance(decision, Again)
    assert decision.delay == 0


def test_a_service_that_never_became_ready_waits_before_its_first_restart() -> None:
    decision = decide(ready_for=None)
    assert isinstance(decision, Again)
    assert decision.delay == pytest.approx(0.1)


def test_delays_double_from_failure_to_failure_up_to_the_longest() -> None:
    history, delays = History(), []
    policy = RestartPolicy(intensity=100, backoff_max_ms=1000)
    for _ in range(7):
        decision = decide(policy, history)
        assert isinstance(decision, Again)
        delays.append(decision.delay)
        history = decision.history
    assert delays == pytest.approx([0, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0])


def test_no_number_of_failures_makes_a_delay_longer_than_the_longest() -> None:
    beyond_floats = 10_000  # 2.0 to this power is none
    assert backoff(RestartPolicy(backoff_max_ms=1000), beyond_floats, True, 0.5) == 1.0


def test_a_stable_run_makes_the_next_restart_immediate_again() -> None:
    decision = decide(history=History((), attempt=7, total=7), ready_for=60.0)
    assert isinstance(decision, Again)
    assert (decision.delay, decision.history.attempt, decision.history.total) == (0, 1, 8)


def test_more_restarts_than_the_intensity_within_the_period_end_in_giving_up() -> None:
    history = History()
    for _ in range(5):
        decision = decide(history=history)
        assert isinstance(decision, Again)
        history = decision.history
    decision = decide(history=history)
    assert isinstance(decision, GiveUp)
    assert decision.failed
    assert decision.reason == "gave up: exit 1; restarted 5 times within 60 s"


def test_restarts_that_are_older_than_the_period_do_not_count() -> None:
    decision = decide(history=History((900.0,) * 5, attempt=5, total=5))
    assert isinstance(decision, Again)
    assert decision.history.recent == (1000.0,)


def test_the_longest_delays_are_spread_as_well_and_below_the_longest() -> None:
    policy = RestartPolicy(backoff_max_ms=1000)
    delays = [backoff(policy, 100, True, jitter) for jitter in (0.0, 0.25, 0.5, 0.75, 0.9)]
    assert delays == pytest.approx([0.9, 0.95, 1.0, 0.95, 0.92])


@given(
    attempt=st.integers(0, 10_000),
    never_ready=st.booleans(),
    jitter=st.floats(0, 1, exclude_max=True),
    factor=st.floats(1, 100),
)
def test_a_delay_is_never_negative_and_never_over_the_longest(
    attempt: int, never_ready: bool, jitter: float, factor: float
) -> None:
    policy = RestartPolicy(backoff_factor=factor)
    assert 0 <= backoff(policy, attempt, never_ready, jitter) <= 30.0


def test_a_group_restarts_as_often_as_its_intensity_within_its_period() -> None:
    rule = Supervision(intensity=2, period_ms=10_000)
    one = with_group(rule, (), now=100.0, cause="exit 1")
    assert one == (100.0,)
    two = with_group(rule, (100.0,), now=105.0, cause="exit 1")
    assert two == (100.0, 105.0)
    given_up = with_group(rule, (100.0, 105.0), now=109.9, cause="exit 1")
    assert given_up == GiveUp(
        "gave up: exit 1; its group was restarted 2 times within 10 s", failed=True
    )
    assert with_group(rule, (100.0, 105.0), now=110.0, cause="exit 1") == (105.0, 110.0)
