"""Services start the moment they may and stop in reverse order: their own records say so."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from tests.bundle_maker import Run, bundle, running, wait_until

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals")


def test_a_dependent_starts_only_after_its_dependency_listens(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db", options={"delay_ms": 60})
    made.service("api", deps=["db"]).service("web", deps=["api"]).write()
    with running(made) as run:
        run.until_ready()
        for below, above in (("db", "api"), ("api", "web")):
            assert run.events(above, "started")[0]["t"] > run.events(below, "listening")[0]["t"]


def test_independent_services_start_side_by_side(tmp_path: Path) -> None:
    made = bundle(tmp_path)
    for name in ("a", "b", "c"):
        made.service(name, "meets_others", options={"party": 3})
    with running(made.write()) as run:
        run.until_ready()  # one after the other, the first would wait for ever
        last_start = max(run.events(name, "started")[0]["t"] for name in ("a", "b", "c"))
        first_listen = min(run.events(name, "listening")[0]["t"] for name in ("a", "b", "c"))
        assert last_start < first_listen


def test_an_unrelated_slow_service_holds_nobody_up(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("slow", options={"delay_ms": 60_000})
    made.service("db").service("api", deps=["db"]).write()
    with running(made) as run:
        wait_until(lambda: run.service("api")["ready"], what="api to be ready beside slow")
        assert run.service("slow")["state"] == "starting"


@posix
def test_the_stop_goes_through_the_dependents_first(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db")
    made.service("api", "stops_slowly", deps=["db"], options={"stop_ms": 200})
    made.service("web", deps=["api"]).write()
    with running(made) as run:
        run.until_ready()
        run.kill(signal.SIGTERM)
        assert run.wait_gone() == 0
        told = {name: run.events(name, "signal")[0]["t"] for name in ("db", "api", "web")}
        gone = {name: run.events(name, "exit")[0]["t"] for name in ("db", "api", "web")}
        assert gone["web"] < told["api"]
        assert gone["api"] < told["db"]
        wait_until(lambda: not run.leftovers(), what="no process left")


def test_a_service_with_an_http_stop_gets_no_signal(tmp_path: Path) -> None:
    stop = {"http": {"path": "/shutdown"}, "timeout_ms": 10_000}
    made = bundle(tmp_path).service("db", "http_stop", stop=stop).write()
    with running(made) as run:
        run.until_ready()
        assert run.post("/shutdown").status == 202
        assert run.wait_gone() == 0
        assert [one["code"] for one in run.events("db", "exit")] == [0]
        assert not run.events("db", "signal")


def test_what_a_failed_dependency_blocks_says_so_and_starts_when_it_recovers(
    tmp_path: Path,
) -> None:
    made = bundle(tmp_path).service("db", "port_in_use_exit", restart={"policy": "never"})
    made.service("api", deps=["db"]).service("web", deps=["api"]).write()
    with running(made) as run:
        answer = run.ready()
        assert not answer["ready"]
        assert answer["details"]["db"]["state"] == "failed"
        for name in ("api", "web"):
            assert answer["details"][name]["message"] == "blocked: db failed (exit 1)"
            assert answer["details"][name]["state"] == "waiting"
        assert run.post("/services/db/start?wait=60").status == 202
        run.until_ready()
        for name in ("api", "web"):
            assert len(run.await_told("service_blocked", name)) == 1


def test_an_on_demand_service_is_left_out_until_somebody_needs_it(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("tool", metadata={"run_mode": "on_demand"})
    made.service("user", deps=["tool"], metadata={"run_mode": "on_demand"}).service("db")
    made.service("needed", metadata={"run_mode": "on_demand"}).service("api", deps=["needed"])
    with running(made.write()) as run:
        answer = run.until_ready()
        assert answer["details"]["needed"]["state"] == "ready", "it starts with who depends on it"
        assert answer["details"]["tool"]["state"] == "inactive"
        assert answer["details"]["tool"]["skipped"]
        begun = run.get("/status").json()["started_at"]
        assert answer["details"]["tool"]["updated_at"] >= begun
        assert run.post("/services/user/start?wait=60").json()["done"]
        assert run.service("tool")["state"] == "ready"


@pytest.mark.parametrize(
    ("reason", "shown"),
    [("no scanner", "no scanner"), (None, "starts on demand"), ("", "starts on demand")],
)
def test_an_on_demand_service_shows_why_it_is_skipped(
    tmp_path: Path, reason: str | None, shown: str
) -> None:
    metadata = {"run_mode": "on_demand", "skip_reason": reason}
    made = bundle(tmp_path).service("db").service("tool", metadata=metadata).write()
    with running(made) as run:
        assert run.until_ready()["details"]["tool"]["message"] == shown


def test_an_on_demand_service_that_was_stopped_is_not_waited_for(tmp_path: Path) -> None:
    on_demand = {"run_mode": "on_demand"}
    made = bundle(tmp_path).service("tool", metadata=on_demand).service("db")
    made.service("user", deps=["tool"], metadata=on_demand)
    with running(made.write()) as run:
        run.until_ready()
        assert run.post("/services/tool/start?wait=60").json()["done"]
        assert run.post("/services/tool/stop?wait=60").json()["done"]
        assert run.service("tool")["state"] == "stopped"
        assert run.ready()["ready"]
        assert run.get("/healthz").json()["status"] == "ok"
        assert run.post("/services/user/start?wait=60").json()["done"], "it is started again"


def test_what_is_started_on_demand_is_no_part_of_the_start(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("tool", metadata={"run_mode": "on_demand"}).service("db")
    with running(made.write()) as run:
        run.until_ready()
        (told,) = run.await_told("ready")
        assert run.post("/services/tool/start?wait=60").json()["done"]
        assert run.get("/timeline").json()["timeline"]["ready_ms"] == told["after_ms"]


def signals_by_role(run: Run, name: str) -> dict[str, list[int]]:
    """Return which signals each of a service's processes got, by its role."""
    roles = {event["pid"]: event["role"] for event in run.events(name, "started")}
    got: dict[str, list[int]] = {role: [] for role in roles.values()}
    for event in run.events(name, "signal"):
        got[roles[event["pid"]]].append(event["signal"])
    return got


TOLD: dict[str, tuple[dict[str, str], list[str]]] = {
    "by-default": ({}, ["SIGUSR1"]),
    "leader": ({"to": "leader"}, ["SIGUSR1"]),
    "tree": ({"to": "tree"}, ["SIGTERM"]),
}
"""How a service is stopped, and what its worker hears; in a tree its leader tells it nothing."""


@posix
def test_the_stop_signal_is_that_of_the_manifest_and_for_the_leader_unless_it_says_the_tree(
    tmp_path: Path,
) -> None:
    made = bundle(tmp_path).service("interrupted", stop={"signal": "SIGINT"})
    for id_, (stop, _) in TOLD.items():
        made.service(id_, "preforks", options={"silent": int(id_ == "tree")}, stop=stop)
    with running(made.write()) as run:
        run.until_ready()
        for id_ in TOLD:
            wait_until(lambda: "worker" in signals_by_role(run, id_), what=f"the worker of {id_}")  # noqa: B023
        run.kill(signal.SIGTERM)
        assert run.wait_gone() == 0
        for id_, (_, worker) in TOLD.items():
            got = signals_by_role(run, id_)
            assert got["leader"] == [signal.SIGTERM], id_
            assert got["worker"] == [signal.Signals[name] for name in worker], id_
            assert run.events(id_, "finished"), id_
        assert [one["signal"] for one in run.events("interrupted", "signal")] == [signal.SIGINT]
        wait_until(lambda: not run.leftovers(), what="no process left")


@posix
def test_what_the_leader_leaves_is_asked_when_it_has_ended(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db", "preforks", options={"abandon": 1}).write()
    with running(made) as run:
        run.until_ready()
        wait_until(lambda: "worker" in signals_by_role(run, "db"), what="the worker")
        assert run.post("/services/db/stop?wait=20").json()["done"]
        assert signals_by_role(run, "db") == {
            "leader": [signal.SIGTERM],
            "worker": [signal.SIGTERM],
        }
        told = [event["pid"] for event in run.events("db", "signal")]
        ended = [event["pid"] for event in run.events("db", "exit")]
        assert told == ended, "the worker was asked after the leader's end"
        assert len(run.await_told("service_exit", "db")) == 1
        assert not any(event["event"] == "service_killed" for event in run.telemetry())


@posix
def test_who_is_asked_to_stop_is_the_same_when_the_runtime_is_killed(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db", "preforks")
    made.service("tree", "preforks", options={"silent": 1}, stop={"to": "tree"})
    with running(made.write()) as run:
        run.until_ready()
        wait_until(lambda: "worker" in signals_by_role(run, "db"), what="the worker of db")
        wait_until(lambda: "worker" in signals_by_role(run, "tree"), what="the worker of tree")
        run.kill()
        wait_until(lambda: not run.leftovers(), deadline=20, what="the guardian's work")
        assert signals_by_role(run, "db")["worker"] == [signal.SIGUSR1]
        assert signals_by_role(run, "tree")["worker"] == [signal.SIGTERM]
