"""Moments of a service's life that come seldom, and the values that tell of it."""

from __future__ import annotations

import typing

import pytest

from bundlevisor.actors.core.effects import Arm, Disarm, EmitEvent, Launch
from bundlevisor.actors.core.life import Context, Life
from bundlevisor.actors.core.lifecycle import step
from bundlevisor.actors.core.messages import (
    BecameReady,
    Launched,
    LaunchFailed,
    Message,
    PortsMoved,
    Prepared,
    ProcessExited,
    ProgressMade,
    StartService,
    StopService,
    SystemResumed,
    Timer,
    TimerFired,
    TreeEmptied,
)
from bundlevisor.actors.core.progress import Work
from bundlevisor.actors.core.report import AfterStop, Doing, Stage, StopCause
from bundlevisor.actors.core.restart import Again, GiveUp, History, after_exit
from bundlevisor.actors.core.run_end import failing, gone
from bundlevisor.actors.core.snapshot import Phase, ServiceView, Snapshot, State
from bundlevisor.actors.launch.inputs import StartInputs
from bundlevisor.actors.process.exit_reason import describe_exit
from bundlevisor.manifest.format.policy import RestartPolicy, Startup
from bundlevisor.manifest.format.probe import Readiness
from bundlevisor.manifest.format.schema import Service

SERVICE = Service(id="api")


def go(life: Life, *events: Message, service: Service = SERVICE) -> Life:
    for event in events:
        life, _ = step(life, event, Context(service, 100.0))
    return life


BEGUN = go(Life(), StartService(0, StartInputs({})))
STARTING = go(BEGUN, Prepared(1), Launched(1, 77))
READY = go(STARTING, BecameReady(1))


@pytest.mark.parametrize(
    ("timer", "trouble", "cause"),
    [
        (Timer.READINESS, "", "not ready within 30 s"),
        (Timer.READINESS, "refused", "not ready within 30 s: refused"),
        (Timer.STARTUP, "refused", "not ready within 120 s of its start-up: refused"),
    ],
)
def test_a_start_that_takes_too_long_says_what_was_in_the_way(
    timer: Timer, trouble: str, cause: str
) -> None:
    slow, effects = step(STARTING, TimerFired(1, timer), Context(SERVICE, 100.0, trouble=trouble))
    assert slow.message == slow.cause == cause
    assert EmitEvent("service_not_ready", {"error": slow.cause}) in effects


@pytest.mark.parametrize(
    ("startup", "readiness_ms", "bound", "said"),
    [
        (Startup(), 300_000, 300.0, "not ready within 300 s"),
        (Startup(), 60_000, 120.0, "not ready within 120 s of its start-up"),
        (Startup(timeout_ms=90_000), 300_000, 90.0, "not ready within 90 s of its start-up"),
        (Startup(timeout_ms=90_000), 60_000, 90.0, "not ready within 90 s of its start-up"),
    ],
)
def test_a_longer_readiness_holds_where_the_bundle_bounds_no_start(
    startup: Startup, readiness_ms: int, bound: float, said: str
) -> None:
    """Bundles of the Go runtime know readiness only: a model may take minutes to be loaded."""
    readiness = Readiness(type="log_match", timeout_ms=readiness_ms)
    context = Context(Service(id="model", readiness=readiness, startup=startup), 100.0)
    _, prepared = step(BEGUN, Prepared(1), context)
    assert prepared[0] == Arm(Timer.STARTUP, bound)
    slow, _ = step(STARTING, TimerFired(1, Timer.STARTUP), context)
    assert slow.cause == said


@pytest.mark.parametrize(
    ("life", "event"),
    [
        (STARTING, Prepared(1)),  # it runs already
        (READY, LaunchFailed(1, "no file")),
        (READY, ProgressMade(1, text="copying", phase="assets", fraction=0.5)),
        (Life(), Prepared(0)),
        (BEGUN, SystemResumed(60.0)),  # nothing has been armed
    ],
)
def test_what_comes_too_late_changes_nothing(life: Life, event: Message) -> None:
    assert step(life, event, Context(SERVICE, 100.0)) == (life, ())


@pytest.mark.parametrize("life", [Life(), STARTING, READY])
def test_what_is_meant_for_others_changes_nothing(life: Life) -> None:
    assert step(life, PortsMoved({}), Context(SERVICE, 100.0)) == (life, ())


def test_a_spawn_that_fails_while_it_is_stopped_leaves_nothing_to_end() -> None:
    stopping = go(BEGUN, Prepared(1), StopService(AfterStop.STAY))
    assert go(stopping, LaunchFailed(1, "no file")).stage is Stage.STOPPED


def test_what_a_start_is_busy_with_is_said_until_it_launches() -> None:
    busy = go(BEGUN, ProgressMade(1, text="copying", phase="assets", fraction=0.5))
    assert (busy.message, busy.doing) == ("copying", Doing("assets", "copying", 0.5))
    prepared, effects = step(busy, Prepared(1), Context(SERVICE, 100.0))
    assert prepared.doing == Doing()
    assert Launch() in effects


@pytest.mark.parametrize(
    ("doing", "words"),
    [
        (Doing(), ""),
        (Doing("", "loading"), "loading"),
        (Doing("", "loading", 0.25), "loading (25%)"),
        (Doing("", "", 0.25), "25%"),
    ],
)
def test_what_somebody_is_doing_in_words(doing: Doing, words: str) -> None:
    assert doing.words == words


@pytest.mark.parametrize("policy", ["on_failure", "never"])
def test_a_service_that_may_end_disarms_what_was_set_for_its_end(policy: typing.Any) -> None:
    once = Service(id="api", restart=RestartPolicy(policy=policy))
    ended = go(READY, ProcessExited(1, 0), service=once)
    rested, effects = step(ended, TreeEmptied(1), Context(once, 200.0))
    assert rested.stage is Stage.STOPPED
    assert rested.message == f"ended: {describe_exit(0)}"
    assert {Disarm(Timer.GRACE), Disarm(Timer.TREE)} <= set(effects)


def test_where_no_restart_is_allowed_nobody_counts_any() -> None:
    never = RestartPolicy(intensity=0)
    common: dict[str, typing.Any] = {"now": 1.0, "ready_for": 1.0, "clean": False, "jitter": 0.5}
    assert after_exit(never, History(), cause="exit 1", **common) == GiveUp(
        "exit 1; restart.intensity is 0", failed=True
    )
    once = after_exit(RestartPolicy(intensity=1), History(), cause="exit 1", **common)
    assert isinstance(once, Again)
    assert after_exit(RestartPolicy(intensity=1), once.history, cause="exit 1", **common) == GiveUp(
        "gave up: exit 1; restarted once within 60 s", failed=True
    )


def view(state: State, *, on_demand: bool = False, blocked: bool = False) -> ServiceView:
    return ServiceView(
        id="a", state=state, message="", updated_at=0, on_demand=on_demand, blocked=blocked
    )


@pytest.mark.parametrize(
    ("one", "ready", "hopeless"),
    [
        (view(State.READY), True, False),
        (view(State.STARTING), False, False),
        (view(State.FAILED), False, True),
        (view(State.STOPPED), False, True),
        (view(State.WAITING, blocked=True), False, True),
        (view(State.STOPPED, on_demand=True), True, False),
    ],
)
def test_whether_a_bundle_is_ready_or_cannot_be(
    one: ServiceView, ready: bool, hopeless: bool
) -> None:
    snapshot = Snapshot(version=1, phase=Phase.RUNNING, services={"a": one})
    assert (snapshot.ready, snapshot.hopeless) == (ready, hopeless)
    ending = Snapshot(version=1, phase=Phase.STOPPING, services={"a": one})
    assert (ending.ready, ending.hopeless) == (False, True)


def test_the_fields_of_a_services_work_say_what_they_mean() -> None:
    hints = typing.get_type_hints(Work, include_extras=True)
    described = {
        name
        for name, hint in hints.items()
        for meta in getattr(hint, "__metadata__", ())
        if getattr(meta, "description", "")
    }
    assert described == set(hints) - {"service", "phase"}  # whose names say it


def test_who_stops_already_is_asked_no_second_time() -> None:
    stopping = Life(stage=Stage.STOPPING, incarnation=1, then=AfterStop.WAIT, pid=7)
    told = StopService(AfterStop.STAY, "the end")
    after, effects = step(stopping, told, Context(SERVICE, 100.0))
    assert (after.then, after.message, effects) == (AfterStop.STAY, "the end", ())


def test_who_is_ready_is_at_nothing_any_more() -> None:
    starting = Life(
        stage=Stage.STARTING,
        incarnation=1,
        pid=7,
        doing=Doing(text="loading"),
        consecutive_failures=2,
        output=("boom",),
    )
    after, effects = step(starting, BecameReady(1), Context(SERVICE, 100.0))
    assert EmitEvent("service_ready") in effects
    assert after == Life(
        stage=Stage.READY, incarnation=1, pid=7, message="ready", doing=Doing(), ready_at=100.0
    )


def test_what_follows_a_failure_is_for_the_restart_policy_to_say() -> None:
    for then in AfterStop:
        life = failing(Life(stage=Stage.READY, then=then), StopCause.UNHEALTHY, "HTTP 500")
        assert (life.then, life.stop_cause) == (AfterStop.RETRY, StopCause.UNHEALTHY)


def test_a_pause_is_told_twice_in_the_same_whole_milliseconds() -> None:
    patient = Service(id="api", restart=RestartPolicy(backoff_ms=20_000))
    starting = Life(stage=Stage.STARTING, incarnation=1)
    context = Context(patient, 100.0, jitter=0.81234)
    _, effects = step(starting, LaunchFailed(1, "no such file"), context)
    told = {"reason": "no such file", "delay_ms": 21_249}
    assert EmitEvent("backoff", told) in effects
    assert EmitEvent("restart", {**told, "attempt": 1}) in effects


@pytest.mark.parametrize("event", [LaunchFailed(1, "no such file"), Prepared(1), TreeEmptied(1)])
@pytest.mark.parametrize("then", list(AfterStop))
def test_a_stop_before_there_was_a_process_ends_as_one_of_which_nothing_is_left(
    event: Message, then: AfterStop
) -> None:
    ending = Life(stage=Stage.STOPPING, incarnation=1, then=then, cause="the start took too long")
    context = Context(Service(id="api"), 100.0)
    assert step(ending, event, context) == gone(ending, context)
    assert gone(ending, context)[0].stage is not Stage.STOPPING


@pytest.mark.parametrize("life", [Life(), STARTING, READY])
def test_a_tree_that_is_empty_tells_nothing_of_a_service_that_is_not_stopping(life: Life) -> None:
    assert step(life, TreeEmptied(life.incarnation), Context(SERVICE, 100.0)) == (life, ())
