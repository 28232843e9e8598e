"""How far a start is: the pure function, on frozen values."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from bundlevisor.actors.core.progress import Known, Progress, measure
from bundlevisor.actors.core.report import Doing
from bundlevisor.actors.core.snapshot import Phase, ServiceView, Snapshot, State

NOW = 1000.0
NOTHING = Known()


def view(id_: str, state: State = State.WAITING, **fields: Any) -> ServiceView:
    return ServiceView(id=id_, state=state, updated_at=NOW, **{"message": "", **fields})


def starting(id_: str, since: float, **fields: Any) -> ServiceView:
    return view(id_, State.STARTING, **{"begun_at": NOW - since, "pid": 7, **fields})


def ready(id_: str) -> ServiceView:
    return view(id_, State.READY, begun_at=1.0, ready_at=2.0)


def progress(*views: ServiceView, known: Known = NOTHING, **rest: Any) -> Progress:
    services = {one.id: one for one in views}
    snapshot = Snapshot(version=1, phase=rest.pop("phase", Phase.RUNNING), services=services)
    return measure(snapshot, known, rest.pop("now", NOW), **rest)


def test_all_ready_is_one_and_nothing_else() -> None:
    skipped = view("extra", State.INACTIVE, on_demand=True)
    assert progress(ready("db"), ready("api"), skipped) == Progress(fraction=1.0, done=2, total=2)
    assert progress() == Progress(fraction=1.0, done=0, total=0)


def test_a_service_weighs_as_much_as_its_start_takes() -> None:
    known = Known(usual={"db": 9.0, "api": 1.0})
    assert progress(ready("db"), view("api"), known=known).fraction == 0.9
    assert progress(view("db"), ready("api"), known=known).fraction == 0.1


def test_what_a_service_says_counts_more_than_the_time_that_has_passed() -> None:
    known = Known(usual={"db": 10.0})
    assert progress(starting("db", 5.0), known=known).fraction == 0.5
    told = starting("db", 5.0, doing=Doing(text="index", fraction=0.25))
    found = progress(told, known=known)
    assert (found.fraction, found.remaining_s) == (0.25, 15.0)
    assert found.working_on[0].fraction == 0.25
    assert found.working_on[0].text == "index"


def test_a_service_that_is_not_ready_is_never_done() -> None:
    for one in (
        starting("db", 1e6, doing=Doing(fraction=1.0)),
        starting("db", 1e6),
        view("db", State.FAILED),
    ):
        assert progress(one, known=Known(usual={"db": 1.0})).fraction < 1
        assert progress(one).fraction < 1


def test_the_fraction_never_goes_back() -> None:
    assert progress(view("db"), least=0.4).fraction == 0.4
    assert progress(ready("db"), view("api"), least=0.4).fraction == 0.5


def test_what_remains_is_the_longest_chain() -> None:
    known = Known({"db": (), "api": ("db",), "web": ()}, {"db": 4.0, "api": 3.0, "web": 5.0})
    found = progress(starting("db", 1.0), view("api"), starting("web", 0.5), known=known)
    assert found.remaining_s == 6.0


@pytest.mark.parametrize(
    "unknown",
    [
        view("api", waiting_for=("db", "token")),
        starting("api", 40.0),
        view("api", State.FAILED),
        starting("other", 0.1),
    ],
)
def test_what_nobody_can_foresee_is_not_foreseen(unknown: ServiceView) -> None:
    """A secret to be supplied, a start that takes too long, a failure, a service without past."""
    known = Known({"db": ()}, {"db": 4.0, "api": 3.0})
    assert progress(starting("db", 1.0), unknown, known=known).remaining_s is None
    assert progress(starting("db", 1.0), known=known).remaining_s == 3.0


@pytest.mark.parametrize(
    ("one", "phase"),
    [
        (view("api", waiting_for=("db",)), "dependencies"),
        (view("api", waiting_for=("db", "token")), "secrets"),
        (view("api"), "spawning"),
        (starting("api", 1, pid=None, doing=Doing("assets", "2 assets")), "assets"),
        (starting("api", 1, pid=None, doing=Doing("migration", "migration 2")), "migration"),
        (starting("api", 1, pid=None), "spawning"),
        (starting("api", 1), "probing"),
        (view("api", State.BACKOFF), "restarting"),
        (view("api", State.UNHEALTHY), "restarting"),
    ],
)
def test_every_moment_has_its_phase(one: ServiceView, phase: str) -> None:
    works = progress(view("db"), one).working_on
    assert [work.phase for work in works if work.service == "api"] == [phase]


def test_what_a_run_said_that_has_failed_is_over() -> None:
    said = Doing(text="loading", fraction=0.9)
    failed = view("db", State.BACKOFF, message="exit 1; pauses 0.1 s before restart 1", doing=said)
    work = progress(failed).working_on[0]
    assert (work.text, work.fraction) == ("exit 1; pauses 0.1 s before restart 1", None)


def test_the_slowest_is_the_one_that_something_is_done_for_longest() -> None:
    waiting = view("web", waiting_for=("api",))
    lines = {"api": "loading", "db": "no"}
    found = progress(
        waiting, starting("db", 1.0), starting("api", 8.0), last_line=lambda one: lines[one.id]
    )
    assert (found.slowest, found.last_line) == ("api", "loading")
    assert [work.service for work in found.working_on] == ["db", "api", "web"]
    blocked = view("web", waiting_for=("api",), blocked=True)
    stuck = progress(view("api", State.FAILED), blocked)
    assert (stuck.slowest, stuck.working_on) == (None, ())


def test_while_everything_stops_nothing_is_worked_on() -> None:
    found = progress(view("db", State.STOPPING), phase=Phase.STOPPING)
    assert (found.working_on, found.remaining_s, found.fraction) == ((), None, 0.0)


def test_a_clock_that_was_set_back_costs_nothing() -> None:
    assert progress(starting("db", -50.0)).working_on[0].elapsed_s == 0.0


SERVICES = st.builds(
    ServiceView,
    id=st.sampled_from("abcdef"),
    state=st.sampled_from(State),
    message=st.just(""),
    updated_at=st.just(NOW),
    on_demand=st.booleans(),
    blocked=st.booleans(),
    kept_down=st.booleans(),
    waiting_for=st.sampled_from([(), ("a",), ("secret",)]),
    pid=st.sampled_from([None, 7]),
    begun_at=st.none() | st.floats(NOW - 1e6, NOW + 1e3),
    doing=st.builds(
        Doing, st.sampled_from(["", "assets", "migration"]), fraction=st.none() | st.floats(0, 1)
    ),
)
DURATIONS = st.dictionaries(st.sampled_from("abcdef"), st.floats(0, 1e5))


@given(st.lists(SERVICES, max_size=6), DURATIONS, st.sampled_from(Phase), st.floats(0, 0.999))
def test_whatever_there_is_the_numbers_are_what_they_promise(
    views: list[ServiceView], usual: dict[str, float], phase: Phase, least: float
) -> None:
    chain = {"a": (), "b": ("a",), "c": ("b", "a")}
    found = progress(*views, known=Known(chain, usual), phase=phase, least=least)
    assert least <= found.fraction <= 1
    assert (found.fraction == 1) == (found.done == found.total)
    assert found.remaining_s is None or found.remaining_s >= 0
    for work in found.working_on:
        assert work.remaining_s is None or work.remaining_s >= 0
        assert work.elapsed_s >= 0
