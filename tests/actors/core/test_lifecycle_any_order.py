"""What holds of a service's life in whatever order events come."""

from __future__ import annotations

from hypothesis import given, strategies as st

from bundlevisor.actors.core import effects
from bundlevisor.actors.core.life import Context, Life
from bundlevisor.actors.core.lifecycle import step
from bundlevisor.actors.core.messages import (
    BecameReady,
    FailService,
    KillService,
    Launched,
    LaunchFailed,
    Message,
    PortsLost,
    Prepared,
    ProbeAnswered,
    ProcessExited,
    ProgressMade,
    ResetFailures,
    ServiceSaid,
    SignOfLife,
    StopAnnounced,
    StopService,
    SystemResumed,
    TimeExtended,
    Timer,
    TimerFired,
    TreeEmptied,
    WaitAgain,
    WatchdogSet,
)
from bundlevisor.actors.core.report import LIVE, AfterStop, Stage
from tests.actors.core.lives import (
    SERVICE,
    go,
    start,
)

EVENTS = st.one_of(
    st.builds(start, st.integers(0, 3)),
    st.builds(Prepared, st.integers(0, 3)),
    st.builds(WaitAgain),
    st.builds(Launched, st.integers(0, 3), st.just(77)),
    st.builds(LaunchFailed, st.integers(0, 3), st.just("no"), st.booleans()),
    st.builds(ProcessExited, st.integers(0, 3), st.sampled_from([0, 1, -9])),
    st.builds(TreeEmptied, st.integers(0, 3)),
    st.builds(BecameReady, st.integers(0, 3)),
    st.builds(ProbeAnswered, st.integers(0, 3), st.sampled_from(["", "ill"])),
    st.builds(PortsLost, st.integers(0, 3), st.just(("http",))),
    st.builds(TimerFired, st.integers(0, 3), st.sampled_from(Timer)),
    st.builds(StopService, st.sampled_from([AfterStop.STAY, AfterStop.WAIT])),
    st.builds(KillService),
    st.builds(ResetFailures),
    st.builds(FailService, st.just("no")),
    st.builds(ProgressMade, st.integers(0, 3), st.just("working")),
    st.builds(SystemResumed, st.just(60.0)),
    st.builds(ServiceSaid, st.integers(0, 3), st.just("busy"), st.sampled_from([None, 0.5])),
    st.builds(SignOfLife, st.integers(0, 3), st.sampled_from(["", "ill"])),
    st.builds(WatchdogSet, st.integers(0, 3), st.sampled_from([0.0, 5.0])),
    st.builds(TimeExtended, st.integers(0, 3), st.just(5.0)),
    st.builds(StopAnnounced, st.integers(0, 3)),
)


@given(st.lists(EVENTS, max_size=40))
def test_whatever_happens_no_process_is_started_beside_one_that_may_live(
    events: list[Message],
) -> None:
    life = Life()
    for event in events:
        before = life
        life, found = step(life, event, Context(SERVICE, 100.0))
        if any(isinstance(effect, effects.Prepare) for effect in found):
            assert before.stage not in LIVE
        if any(isinstance(effect, effects.Launch) for effect in found):
            assert before.pid is None
            assert before.stage is Stage.STARTING


@given(st.lists(EVENTS, max_size=40))
def test_whatever_happens_a_stop_for_good_ends_in_stopped(events: list[Message]) -> None:
    life = go(Life(), *events)
    life = go(life, StopService(AfterStop.STAY), TreeEmptied(life.incarnation))
    assert life.stage is Stage.STOPPED


@given(st.lists(EVENTS, max_size=40))
def test_a_service_that_rests_has_no_process(events: list[Message]) -> None:
    life = go(Life(), *events)
    if life.stage in (Stage.WAITING, Stage.BACKOFF, Stage.STOPPED):
        life_after = go(life, TreeEmptied(life.incarnation))
        assert life_after == life
