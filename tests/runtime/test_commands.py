"""Commands to real services that take their time: the last one wins, and 'done' is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bundle_maker import Bundle, Run, bundle, running, wait_until

SLOW = {"stop_ms": 500}
PATIENT = {"timeout_ms": 60_000}


def starts(run: Run, name: str) -> int:
    return len(run.events(name, "started"))


def chain(folder: Path) -> Bundle:
    made = bundle(folder).service("db", "stops_slowly", options=SLOW)
    return made.service("api", "stops_slowly", deps=["db"], options=SLOW).write()


def test_a_start_while_a_dependent_still_stops_takes_the_stop_back(tmp_path: Path) -> None:
    gate = tmp_path / "api may end"
    made = bundle(tmp_path).service("db", "stops_slowly", options=SLOW)
    made.service("api", "stops_slowly", deps=["db"], options={"stop_until": gate}, stop=PATIENT)
    with running(made.write()) as run:
        run.until_ready()
        stopping = run.post("/services/db/stop").json()
        assert (stopping["state"], stopping["affected"]) == ("stopping", ["api"])
        assert not run.service("db")["ready"]
        run.post("/services/db/start")
        gate.touch()
        assert run.post("/services/db/start?wait=20").json()["done"] is True
        run.until_ready()
        assert (starts(run, "db"), starts(run, "api")) == (1, 2)
        assert not run.events("db", "signal")


@pytest.mark.parametrize("last", ["start", "restart"])
def test_a_start_while_it_stops_is_done_only_when_it_is_up_again(tmp_path: Path, last: str) -> None:
    with running(chain(tmp_path)) as run:
        run.until_ready()
        run.post("/services/db/stop")
        wait_until(lambda: run.events("db", "stopping"), what="db to be told to stop")
        answer = run.post(f"/services/db/{last}?wait=20").json()
        assert (answer["done"], answer["state"]) == (True, "ready")
        assert starts(run, "db") == 2
        run.until_ready()


def test_a_stop_during_a_restart_stays_the_last_word(tmp_path: Path) -> None:
    gate = tmp_path / "db may end"
    made = bundle(tmp_path)
    made.service("db", "stops_slowly", options={"stop_until": gate}, stop=PATIENT)
    made.service("api", "stops_slowly", deps=["db"], options=SLOW)
    with running(made.write()) as run:
        run.until_ready()
        run.post("/services/db/restart")
        run.post("/services/db/stop")
        gate.touch()
        answer = run.post("/services/db/stop?wait=20").json()
        assert (answer["done"], answer["state"]) == (True, "stopped")
        blocked = "blocked: db is stopped"
        wait_until(lambda: run.service("api")["message"] == blocked, what="the end of api")
        assert starts(run, "db") == 1


def test_who_waits_for_a_command_that_is_overruled_is_told_at_once(tmp_path: Path) -> None:
    gate = tmp_path / "api may end"
    made = bundle(tmp_path)
    made.service("api", "stops_slowly", options={"stop_until": gate}, stop=PATIENT)
    with running(made.write()) as run:
        run.until_ready()
        run.post("/services/api/stop")
        started = run.post("/services/api/start?wait=0").json()
        assert (started["done"], started["state"]) == (False, "stopping")
        assert started["message"] == "is started again as soon as it has stopped"
        gate.touch()
        assert run.post("/services/api/stop?wait=20").json()["done"] is True
