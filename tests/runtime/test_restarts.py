"""What follows a failure: restarts, backoff, giving up, and the strategies."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bundle_maker import Run, bundle, running, wait_until
from tests.live_runtime import KILL

FAST = {"backoff_ms": 10, "backoff_max_ms": 50}


def starts(run: Run, name: str) -> int:
    return len([e for e in run.events(name, "started") if e.get("role", "leader") == "leader"])


def kill_service(run: Run, name: str) -> None:
    os.kill(run.service(name)["pid"], KILL)


def test_a_killed_service_comes_back_on_the_same_port(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db").write()
    with running(made) as run:
        run.until_ready()
        port = run.ports("db")
        kill_service(run, "db")
        wait_until(lambda: starts(run, "db") == 2, what="a second start")
        run.until_ready()
        assert run.ports("db") == port
        assert run.service("db")["restarts"] == 1
        first, second = run.events("db", "started")
        assert first["instance"] != second["instance"]


def test_one_for_one_leaves_the_dependents_alone(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db").service("api", deps=["db"]).write()
    with running(made) as run:
        run.until_ready()
        kill_service(run, "db")
        wait_until(lambda: starts(run, "db") == 2, what="a second start of db")
        run.until_ready()
        assert starts(run, "api") == 1


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("rest_for_one", {"db": 1, "api": 2, "web": 2, "other": 1}),
        ("one_for_all", {"db": 2, "api": 2, "web": 2, "other": 2}),
    ],
)
def test_a_strategy_restarts_the_others_in_order(
    tmp_path: Path, strategy: str, expected: dict[str, int]
) -> None:
    made = bundle(tmp_path).set(supervision={"strategy": strategy}).service("db")
    made.service("api", deps=["db"]).service("web", deps=["api"]).service("other").write()
    with running(made) as run:
        run.until_ready()
        kill_service(run, "api")
        wait_until(
            lambda: {name: starts(run, name) for name in expected} == expected,
            what=f"starts {expected}",
        )
        run.until_ready()
        web, api = run.events("web", "started")[1], run.events("api", "listening")[1]
        assert web["t"] > api["t"]


RAISES = """
import atexit
atexit.register(print, "bye", flush=True)
open("/nowhere/config.json")
"""


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A run in which each service has failed for good in its own way; it is only looked at."""
    never, once, twice = {"policy": "never"}, {**FAST, "intensity": 1}, {**FAST, "intensity": 2}
    made = bundle(tmp_path_factory.mktemp("failed")).script("bin/raises", RAISES)
    made.service("exits", "exits_at_once", options={"code": 3}, restart=twice)
    made.service("missing", restart=once)
    made.service("early", "port_in_use_exit", restart=never)
    made.service("raises", "bin/raises", restart=never)
    late = {"type": "health_success", "timeout_ms": 100}
    made.service("late", "listens_late", options={"delay_ms": 60_000}, readiness=late, restart=once)
    if sys.platform != "win32":
        made.service("plain", restart=never)
    made.write()
    (made.root / "bin" / "missing").unlink()
    if sys.platform != "win32":
        (made.root / "bin" / "plain").chmod(0o644)
    with running(made) as run:
        for id_, detail in run.ready()["details"].items():
            wait_until(lambda: run.service(id_)["state"] == "failed", what=f"{id_}: {detail}")  # noqa: B023
        yield run


def test_a_service_that_keeps_failing_is_given_up_with_its_reason(failed: Run) -> None:
    assert not failed.ready()["ready"]
    exits = failed.service("exits")
    assert (exits["state"], exits["exit_code"], exits["restarts"]) == ("failed", 3, 2)
    assert "gave up: exit 3 before it was ready" in exits["message"]
    assert starts(failed, "exits") == 3
    assert failed.get("/healthz").json()["status"] == "failed"
    assert len(failed.await_told("gave_up", "exits")) == 1
    assert len(failed.await_told("backoff", "exits", count=2)) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="there the program is Python's")
def test_a_missing_binary_is_retried_like_a_crash_and_named(failed: Run) -> None:
    message = failed.service("missing")["message"]
    assert "service 'missing': binary not found: bin/missing" in message
    assert "is the bundle complete?" in message
    assert failed.service("missing")["restarts"] == 1


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such bit")
def test_a_program_without_its_executable_bit_is_named(failed: Run) -> None:
    assert "not executable" in failed.service("plain")["message"]


def test_an_exit_before_readiness_is_told_at_once_with_the_last_line(failed: Run) -> None:
    assert failed.service("early")["state"] == "failed"
    assert "before it was ready" in failed.service("early")["message"]
    assert failed.await_told("service_exit", "early")[0]["last_lines"]


def test_the_reason_of_a_crash_is_the_line_that_says_what_went_wrong(failed: Run) -> None:
    said = "FileNotFoundError: [Errno 2] No such file or directory: '/nowhere/config.json'"
    raises = failed.service("raises")
    assert raises["message"] == f"exit 1 before it was ready: {said}"
    assert raises["output"][0] == "Traceback (most recent call last):"
    assert raises["output"][-2:] == [said, "bye"]
    status = {one["id"]: one for one in failed.get("/status").json()["services"]}
    assert status["raises"]["output"] == raises["output"]
    ended = failed.await_told("service_exit", "raises")[0]
    assert ended["reason"] == said
    assert ended["output"] == raises["output"]


def test_a_service_that_is_not_ready_in_time_goes_through_the_same_policy(failed: Run) -> None:
    assert failed.service("late")["state"] == "failed"
    assert "not ready within 0.1 s" in failed.service("late")["message"]
    begun = failed.await_told("service_start", "late", count=2)
    assert len(begun) == 2  # the program itself may not have come to its first line


def test_an_unhealthy_service_is_restarted(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db", "unhealthy_after", options={"after_ms": 100}).write()
    with running(made) as run:
        run.until_ready()
        wait_until(lambda: starts(run, "db") == 2, what="a restart of the unhealthy service")
        run.until_ready()
        (unhealthy,) = run.await_told("unhealthy", "db")
        assert unhealthy["failures"] == 3


def test_a_stop_is_sticky_and_goes_through_the_dependents(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db").service("api", deps=["db"]).write()
    with running(made) as run:
        run.until_ready()
        answer = run.post("/services/db/stop?wait=60").json()
        assert (answer["state"], answer["affected"], answer["done"]) == ("stopped", ["api"], True)
        if sys.platform != "win32":  # who cannot be asked there tells of no end
            assert run.events("api", "exit")[0]["t"] < run.events("db", "signal")[0]["t"]
        assert run.service("api")["message"] == "blocked: db is stopped"
        run.post("/services/api/start?wait=60")
        run.until_ready()


def test_a_stop_cancels_a_pending_restart(tmp_path: Path) -> None:
    pause = {"backoff_ms": 400, "backoff_factor": 1, "intensity": 1000}
    made = bundle(tmp_path)
    for name in ("db", "clock"):
        made.service(name, "exits_at_once", options={"code": 1}, restart=pause)
    with running(made.write()) as run:
        wait_until(lambda: run.service("db")["state"] == "backoff", what="the pause")
        assert run.post("/services/db/stop?wait=60").json()["state"] == "stopped"
        before, ticks = starts(run, "db"), starts(run, "clock")
        wait_until(lambda: starts(run, "clock") >= ticks + 3, what="more than a whole pause to go")
        assert starts(run, "db") == before
        assert run.service("db")["state"] == "stopped"


@pytest.mark.skipif(sys.platform == "win32", reason="a socket is no descriptor there")
def test_a_restart_command_starts_only_when_the_old_tree_is_gone(tmp_path: Path) -> None:
    made = bundle(tmp_path).service(
        "db", "forks_grandchild", options={"hold_port": 1}, stop={"timeout_ms": 100}
    )
    with running(made.write()) as run:
        run.until_ready()
        assert run.post("/services/db/restart?wait=60").json()["done"]
        run.until_ready()
        assert starts(run, "db") == 2
        # Linux shows the command line of a process a moment after its exec is over.
        wait_until(
            lambda: len([p for p in run.leftovers() if "grandchild" in p.cmdline()]) == 1,
            what="one grandchild, the new one",
        )


def test_an_exit_says_whether_it_was_expected_and_by_whom(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db", restart={**FAST, "intensity": 1})
    made.service(
        "late",
        "listens_late",
        options={"delay_ms": 60_000},
        readiness={"type": "health_success", "timeout_ms": 300},
        restart={"policy": "never"},
        critical=False,
    )
    with running(made.write()) as run:
        wait_until(lambda: run.service("late")["state"] == "failed", what="'late' has failed")
        run.until_service_ready("db")
        kill_service(run, "db")
        wait_until(lambda: starts(run, "db") == 2, what="the next run")
        assert run.post("/services/db/stop?wait=60").json()["done"]
        assert run.post("/shutdown").status == 202
        assert run.wait_gone() == 0  # all events are on disk
    told = [
        (event["service_id"], event["details"]["expected"], event["details"]["by"])
        for event in run.telemetry()
        if event["event"] == "service_exit"
    ]
    assert [one[1:] for one in told if one[0] == "db"] == [(False, "itself"), (True, "order")]
    assert ("late", True, "not ready") in told


def test_the_start_tells_what_is_wrong_with_the_manifest(tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db", depend_upon=["x"]).write()
    with running(made) as run:
        run.until_ready()
        told = run.await_told("bundle_validation")
    assert told == [{"valid": True, "errors": 0, "warnings": 1, "codes": ["unknown_field"]}]
