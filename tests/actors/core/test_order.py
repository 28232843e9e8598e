"""Who may start, who is blocked, who must stop first: tables over pure functions."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest

from bundlevisor.actors.core import dependencies as order, views
from bundlevisor.actors.core.dependencies import Tree
from bundlevisor.actors.core.desired import Desired, stopped
from bundlevisor.actors.core.report import AfterStop, Doing, Report, Stage, StopCause
from bundlevisor.actors.core.snapshot import ServiceView, State
from bundlevisor.actors.ports.shortages import Shortage, Shortages
from bundlevisor.manifest.format.policy import Supervision
from tests.actors.core.trees import ALL, CHAIN, ONE, REST, graph, tree

SHORT = Shortage(("http",), "range 1-2 is used up", "service: no free port")
STAY, WAIT = stopped("asked to"), Desired(after=0, reason="restarting")


def obstacles(given: Tree) -> dict[str, str]:
    """All that is in anybody's way, for the first time."""
    return views.new_obstacles(given, {}, given.reports)


def shown(given: Tree, id_: str) -> ServiceView:
    before = ServiceView(
        id=id_, state=State.WAITING, message="", updated_at=0, on_demand=id_ == "extra"
    )
    return views.shown(given, before, obstacles(given))


@pytest.mark.parametrize(
    ("given", "supervision", "expected"),
    [
        (tree(), ONE, ["db", "extra"]),
        (tree(db="starting"), ONE, ["extra"]),
        (tree(db="ready"), ONE, ["api", "extra"]),
        (tree(db="ready", desired={"db": STAY}, extra="ready"), ONE, []),
        (tree(db="ready", desired={"db": WAIT}, extra="ready"), ONE, []),
        (tree(db="ready", api="ready", extra="backoff"), ONE, ["web"]),
        (tree(wanted="db"), ONE, ["db"]),
        (tree(missing={"db": ("KEY",)}), ONE, ["extra"]),
        (tree(desired={"db": STAY}), ONE, ["extra"]),
        (tree(desired={"db": WAIT}), ONE, ["db", "extra"]),
        (tree(api="stopping", desired={"api": WAIT}, extra="ready"), REST, []),
        (tree(api="stopping", desired={"api": WAIT}), REST, ["extra"]),
        (tree(api="stopping", desired={"api": WAIT}), ALL, []),
        (tree(api="stopping"), REST, ["db", "extra"]),
    ],
)
def test_a_service_may_start_when_nothing_stands_in_its_way(
    given: Tree, supervision: Supervision, expected: Any
) -> None:
    assert order.startable(given, supervision, given.reports) == expected


def test_a_waiting_service_says_what_it_waits_for() -> None:
    given = tree(db="starting")
    assert views.why_waiting(given, "api", obstacles(given)) == views.Wait(
        ("db",), False, "waiting for db"
    )
    both = tree(db="starting", shortages=Shortages({"extra": SHORT}, {"api": ("extra",)}))
    assert views.why_waiting(both, "api", {}).message == "waiting for db, extra"
    assert views.why_waiting(given, "extra", {}) == views.Wait((), False, "about to start")


def test_a_missing_secret_is_named() -> None:
    given = tree(db="ready", missing={"api": ("API_KEY", "OTHER")})
    assert views.why_waiting(given, "api", obstacles(given)) == views.Wait(
        ("API_KEY", "OTHER"), False, "waiting for secrets 'API_KEY', 'OTHER'"
    )
    given = tree(db="ready", missing={"api": ("API_KEY",)})
    assert views.why_waiting(given, "api", {}).message == "waiting for secret 'API_KEY'"
    given = tree(db="ready", missing={"api": ("API_KEY",)}, hindered={"api": "no space"})
    assert views.why_waiting(given, "api", {}).message == "waiting for secret 'API_KEY': no space"


def test_a_dependency_that_failed_for_good_blocks_everything_above_it_and_is_named() -> None:
    given = tree(db="failed")
    blocking = obstacles(given)
    assert views.why_waiting(given, "api", blocking).message == "blocked: db failed (exit 1)"
    assert views.why_waiting(given, "web", blocking).message == "blocked: db failed (exit 1)"
    assert views.why_waiting(given, "web", blocking).blocked


@pytest.mark.parametrize("cause", [StopCause.NOT_READY, StopCause.UNHEALTHY, StopCause.BROKEN])
def test_a_failure_that_the_runtime_ended_is_not_told_as_its_exit(cause: StopCause) -> None:
    given = tree(db="failed")
    report = msgspec.structs.replace(
        given.reports["db"], stop_cause=cause, exit_code=-9, message="gave up: not ready in time"
    )
    given = msgspec.structs.replace(given, reports=given.reports | {"db": report})
    assert shown(given, "web").message == "blocked: db failed (gave up: not ready in time)"


def test_a_dependency_that_may_come_back_does_not_block() -> None:
    given = tree(db="backoff")
    assert not views.why_waiting(given, "api", obstacles(given)).blocked


def test_a_stopped_dependency_blocks() -> None:
    given = tree(db="stopped")
    assert views.why_waiting(given, "api", obstacles(given)).message == "blocked: db is stopped"


def test_dependents_are_stopped_before_what_they_depend_on() -> None:
    desired = {"db": STAY, "api": STAY, "web": STAY}
    up: dict[str, Any] = {"db": "ready", "api": "ready", "web": "ready"}

    def free(**stages: Any) -> list[str]:
        given = tree(desired=desired, **stages)
        return [id_ for id_ in desired if order.may_be_told(given, id_)]

    assert free(**up) == ["web"]
    assert free(**up | {"web": "stopping"}) == ["web"]
    assert free(**up | {"web": "stopped"}) == ["api", "web"]
    assert free(**up | {"web": "stopped", "api": "waiting"}) == ["db", "api", "web"]


def test_only_dependents_that_run_are_stopped_with_a_service() -> None:
    given = tree(db="ready", api="stopping", web="backoff", extra="ready")
    assert order.running_dependents(given, "db") == ["api"]
    assert order.running_dependents(tree(db="ready", api="ready", web="starting"), "db") == [
        "web",
        "api",
    ]
    assert order.running_dependents(tree(db="ready", web="failed"), "db") == []


@pytest.mark.parametrize(
    ("supervision", "expected"),
    [(ONE, []), (REST, ["web", "api"]), (ALL, ["extra", "web", "api"])],
)
def test_the_strategy_says_who_restarts_with_a_service_that_failed(
    supervision: Supervision, expected: Any
) -> None:
    given = tree(db="stopping", api="ready", web="ready", extra="ready")
    assert sorted(order.restart_group(given, "db", supervision)) == sorted(expected)
    found = order.restart_group(given, "db", supervision)
    if expected:
        assert found.index("web") < found.index("api")


def test_an_on_demand_service_is_wanted_only_when_something_needs_it() -> None:
    assert order.wanted_with_the_bundle(CHAIN, ["extra", "db"]) == {"db", "api", "web"}


def test_others_see_why_a_service_waits_and_which_one_nobody_has_asked_for() -> None:
    given = tree(wanted="db api web", db="failed")
    api, extra = shown(given, "api"), shown(given, "extra")
    assert (api.state, api.blocked, api.waiting_for) == (State.WAITING, True, ("db",))
    assert api.message == "blocked: db failed (exit 1)"
    assert (extra.state, extra.skipped, extra.message) == (
        State.INACTIVE,
        True,
        "starts on demand",
    )
    assert shown(given, "db").state is State.FAILED


def test_what_is_to_end_is_shown_as_stopping_before_it_can_be_told() -> None:
    given = tree(db="ready", api="ready", web="stopping", desired={"db": STAY, "api": WAIT})
    db, api = shown(given, "db"), shown(given, "api")
    assert (db.state, db.ready, db.kept_down) == (State.STOPPING, False, True)
    assert db.message == "asked to; waiting for api to stop"
    assert (api.state, api.ready, api.kept_down) == (State.STOPPING, False, False)
    assert api.message == "restarting"


def test_all_that_a_service_reports_is_shown() -> None:
    report = Report(
        id="db",
        stage=Stage.READY,
        message="ready",
        restarts=2,
        pid=3,
        incarnation=4,
        instance="x-db-4",
        exit_code=5,
        output=("boom",),
        doing=Doing(text="loading"),
        begun_at=5.5,
        started_at=6.0,
        ready_at=7.0,
    )
    given = msgspec.structs.replace(tree(), reports=tree().reports | {"db": report})
    view = shown(given, "db")
    assert (view.state, view.skipped) == (State.READY, False)
    for field in set(Report.__struct_fields__) & set(ServiceView.__struct_fields__):
        assert getattr(view, field) == getattr(report, field), field
    again = views.shown(tree(db="starting"), view, {})
    assert (again.pid, again.output, again.ready_at, again.restarts) == (None, (), None, 0)
    ending = msgspec.structs.replace(given, desired={"db": STAY}, ending=frozenset({"db"}))
    assert (shown(ending, "db").state, shown(ending, "db").ready_at) == (State.STOPPING, None)


def test_what_was_blocked_or_skipped_is_shown_so_no_longer_once_it_runs() -> None:
    blocked = shown(tree(db="failed"), "api")
    assert blocked.blocked
    running = views.shown(tree(db="ready", api="starting"), blocked, {})
    assert (running.blocked, running.waiting_for, running.kept_down) == (False, (), False)
    asleep = shown(tree(wanted="db"), "extra")
    assert asleep.skipped
    assert not views.shown(tree(extra="ready"), asleep, {}).skipped
    assert views.shown(tree(extra="stopped"), asleep, {}).skipped
    assert not shown(tree(db="stopped"), "db").skipped


@pytest.mark.parametrize(
    ("then", "cause", "state"),
    [
        (AfterStop.RETRY, StopCause.UNHEALTHY, State.UNHEALTHY),
        (AfterStop.STAY, StopCause.UNHEALTHY, State.STOPPING),
        (AfterStop.RETRY, StopCause.EXITED, State.STOPPING),
    ],
)
def test_a_service_that_ends_because_it_is_unhealthy_is_shown_so(
    then: AfterStop, cause: StopCause, state: State
) -> None:
    given = tree(db="stopping")
    report = msgspec.structs.replace(given.reports["db"], then=then, stop_cause=cause)
    assert shown(msgspec.structs.replace(given, reports={"db": report}), "db").state is state


@pytest.mark.parametrize("between", ["waiting", "backoff", "stopping"])
def test_what_is_blocked_at_any_depth_says_so_whatever_the_services_between_are_doing(
    between: str,
) -> None:
    given = tree(db="failed", api=between)
    web = shown(given, "web")
    assert (web.blocked, web.message) == (True, "blocked: db failed (exit 1)")
    assert web.waiting_for == ("api",)
    stopped_db = tree(db="ready", desired={"db": STAY}, api=between)
    assert shown(stopped_db, "web").message == "blocked: db is stopped"


def test_a_service_that_runs_blocks_nobody_although_its_dependency_has_failed() -> None:
    given = tree(db="failed", api="ready")
    assert not shown(given, "web").blocked
    assert order.startable(given, ONE, given.reports) == ["web", "extra"]
    restarting = tree(db="failed", api="ready", desired={"api": WAIT})
    assert shown(restarting, "web").message == "blocked: db failed (exit 1)"


def test_what_is_in_the_way_is_said_anew_only_where_it_is_something_else() -> None:
    before, gone = tree(db="failed"), tree(db="ready")
    known = obstacles(before)
    assert views.new_obstacles(before, known, ["db", "web"]) == {}
    stopped_now = tree(db="failed", desired={"db": STAY})
    anew = views.new_obstacles(stopped_now, known, ["db"])
    assert anew == dict.fromkeys(("db", "api", "web"), "db is stopped")
    assert views.new_obstacles(gone, known, ["db"]) == dict.fromkeys(("db", "api", "web"), "")
    between = tree(db="failed", api="ready")
    assert views.new_obstacles(between, known, ["api"]) == {"api": "", "web": ""}


def test_a_deep_and_wide_bundle_is_judged_without_repeating_work() -> None:
    layers = [[f"s{layer}-{n}" for n in range(10)] for layer in range(8)]
    needs = dict.fromkeys(layers[0], "")
    for below, above in itertools.pairwise(layers):
        needs |= {id_: " ".join(below) for id_ in above}
    wide = graph(**needs)
    reports = {id_: Report(id=id_) for id_ in wide.start_order}
    reports["s0-0"] = Report(id="s0-0", stage=Stage.FAILED, message="gone")
    blocking = obstacles(Tree(wide, reports, frozenset(reports)))
    assert blocking["s7-9"] == "s0-0 failed (gone)"


def test_a_service_without_a_port_holds_back_who_names_it_and_says_why() -> None:
    given = tree(api="starting", shortages=Shortages({"extra": SHORT}, {"db": ("extra",)}))
    blocking = obstacles(given)
    assert "db" not in order.startable(given, ONE, given.reports)
    assert views.why_waiting(given, "db", blocking) == views.Wait(
        ("extra",), True, "blocked: extra has no port: range 1-2 is used up"
    )
    assert blocking["db"] == "extra has no port: range 1-2 is used up"


def test_dependents_of_a_service_without_a_port_say_so_and_not_that_it_failed() -> None:
    given = tree(db="failed", shortages=Shortages({"db": SHORT}))
    reports = given.reports | {"db": Report(id="db", stage=Stage.FAILED)}
    short = msgspec.structs.replace(given, reports=reports)
    assert shown(short, "web").message == "blocked: db has no port: range 1-2 is used up"
