"""Whom a command concerns besides its service, and which run it asks for."""

from __future__ import annotations

import pytest

from bundlevisor.actors.core import commanded
from bundlevisor.actors.core.desired import Desired, stopped
from bundlevisor.manifest.format.policy import Supervision
from tests.actors.core.trees import ALL, ONE, REST, tree

DOWN = stopped("asked to")


def test_a_start_names_the_dependencies_that_it_starts_first() -> None:
    given = tree("web extra", db="stopped", api="failed", web="ready")
    assert commanded.start(given, "web").affected == ("db", "api")
    given = tree(db="ready", api="starting", web="stopped")
    assert commanded.start(given, "web").affected == ()
    assert commanded.start(tree("extra"), "web").affected == ("db", "api")
    given = tree(db="ready", api="stopping", desired={"db": DOWN})
    assert commanded.start(given, "web").affected == ("db",)
    restarting = {"db": Desired(after=0, reason="restarting")}
    given = tree(db="ready", api="ready", web="stopped", desired=restarting)
    assert commanded.start(given, "web").affected == ()


def test_a_start_changes_nothing_that_runs() -> None:
    given = tree(db="ready", api="ready", web="ready")
    assert commanded.start(given, "web").desired == {"db": None, "api": None, "web": None}


def test_a_start_ends_the_pause_of_its_own_service_only() -> None:
    change = commanded.start(tree(db="backoff", api="backoff"), "api")
    assert change.desired == {"db": None, "api": Desired(after=0, resetting=True)}
    assert change.affected == ()


def test_a_stop_repeats_the_runs_of_its_dependents_and_names_them() -> None:
    change = commanded.stop(tree(db="ready", api="ready", web="starting", extra="ready"), "db")
    assert change.affected == ("web", "api")
    repeat = Desired(after=0, reason="stopping because db is stopped")
    assert change.desired == {"web": repeat, "api": repeat, "db": stopped("stopped by command")}


@pytest.mark.parametrize(
    ("supervision", "affected"),
    [(ONE, ()), (REST, ("web",)), (ALL, ("extra", "web", "db"))],
)
def test_a_restart_takes_along_whom_its_strategy_says(
    supervision: Supervision, affected: tuple[str, ...]
) -> None:
    given = tree(db="ready", api="ready", web="ready", extra="ready")
    change = commanded.restart(given, "api", supervision)
    assert sorted(change.affected) == sorted(affected)
    assert change.after == 0
    assert change.desired["api"] == Desired(after=0, reason="restarting by command", resetting=True)


def test_a_restart_of_what_rests_starts_what_it_needs_and_asks_for_a_later_run() -> None:
    given = tree(db="failed", api="stopped", web="ready", desired={"api": DOWN})
    change = commanded.restart(given, "api", ALL)
    assert (change.affected, change.after) == (("db",), 0)
    assert change.desired == {
        "db": Desired(after=0, resetting=True),
        "api": Desired(after=0, reason="asked to", resetting=True),
    }


def test_a_restart_brings_back_the_dependency_that_was_about_to_stop() -> None:
    given = tree(db="ready", api="ready", desired={"db": DOWN})
    change = commanded.restart(given, "api", ALL)
    assert change.desired["db"] == Desired(after=0, reason="restarting by command")
    alone = commanded.restart(given, "api", ONE)
    assert (alone.desired["db"], alone.affected) == (None, ("db",))


def test_everything_stops_at_the_end() -> None:
    change = commanded.stop_all(tree(db="ready"), "the end")
    assert change.desired == dict.fromkeys(["db", "api", "web", "extra"], stopped("the end"))
