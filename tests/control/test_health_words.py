from __future__ import annotations

import pytest

from bundlevisor.actors.core.snapshot import Phase, State
from bundlevisor.control.api.bundle_health import health
from tests.control.fake_runtime import snapshot_of, view

STARTING = (State.WAITING, State.STARTING, State.STOPPING, State.INACTIVE)
DOWN = (State.UNHEALTHY, State.BACKOFF, State.STOPPED)


@pytest.mark.parametrize("state", STARTING)
def test_a_bundle_that_is_still_starting_is_ok(state: State) -> None:
    assert health(snapshot_of(view("a"), view("b", state))) == "ok"


@pytest.mark.parametrize("critical", [True, False])
@pytest.mark.parametrize("state", DOWN)
def test_a_service_that_is_down_degrades(state: State, critical: bool) -> None:
    assert health(snapshot_of(view("a"), view("b", state, critical=critical))) == "degraded"


def test_a_critical_service_that_has_given_up_is_a_failure() -> None:
    assert health(snapshot_of(view("a"), view("b", State.FAILED))) == "failed"


def test_a_non_critical_service_that_has_given_up_degrades() -> None:
    assert health(snapshot_of(view("a"), view("b", State.FAILED, critical=False))) == "degraded"


def test_a_blocked_service_degrades() -> None:
    assert health(snapshot_of(view("a", State.WAITING, blocked=True))) == "degraded"


def test_skipped_services_do_not_count() -> None:
    assert health(snapshot_of(view("a"), view("b", State.STOPPED, on_demand=True))) == "ok"


@pytest.mark.parametrize("phase", [Phase.STOPPING, Phase.STOPPED])
def test_stopping_is_said_whatever_the_services_do(phase: Phase) -> None:
    assert health(snapshot_of(view("a", State.FAILED), phase=phase)) == "stopping"
