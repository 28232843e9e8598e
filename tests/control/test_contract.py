"""What a shell sees of a bundle that changes: of the runtime in memory as of the installed one.

The tests beside this one move the runtime in memory to states that a real one shows for a moment
only, or never on purpose. What they take for granted of these states is held here.
"""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from tests.control.driven_runtime import DrivenRuntime
from tests.control.wire import STREAM, frame
from tests.waiting import wait_until


def details(driven: DrivenRuntime) -> Any:
    return driven.api.get("/readyz").json()["details"]


def test_a_stopped_service_and_who_waits_for_it_are_told_alike_everywhere(
    driven: DrivenRuntime,
) -> None:
    driven.stop_db()
    told = details(driven)
    assert (told["db"]["state"], told["db"]["ready"]) == ("stopped", False)
    web = {name: told["web.api-1"][name] for name in ("state", "ready", "message", "waiting_for")}
    assert web == {
        "state": "waiting",
        "ready": False,
        "message": "blocked: db is stopped",
        "waiting_for": ["db"],
    }
    assert told["extra"]["ready"]
    rows = {row["id"]: row for row in driven.api.get("/status").json()["services"]}
    assert {id_: row["state"] for id_, row in rows.items()} == {
        id_: one["state"] for id_, one in told.items()
    }
    assert rows["web.api-1"]["waiting_for"] == ["db"]
    metrics = driven.api.get("/metrics").body.decode().splitlines()
    assert 'bundlevisor_service_state{service="db",state="stopped"} 1.0' in metrics
    assert 'bundlevisor_service_ready{service="web.api-1"} 0.0' in metrics


def test_a_service_that_starts_is_worked_on_and_waited_for(driven: DrivenRuntime) -> None:
    driven.begin_db()
    answer = driven.api.get("/readyz?wait=0").json()
    assert not answer["ready"]
    assert driven.api.get("/readyz?wait=0&strict=1").status == 503
    told = answer["details"]
    assert told["db"]["state"] == "starting"
    assert "ready_at" not in told["db"]
    assert told["web.api-1"]["message"] == "waiting for db"
    progress = answer["progress"]
    assert progress["total"] == 3
    assert [one["service"] for one in progress["working_on"]] == ["db", "web.api-1"]
    assert progress["slowest"] == "db"
    waited: list[Any] = []
    asker = threading.Thread(
        target=lambda: waited.append(driven.api.get("/readyz?wait=60", timeout=70).json())
    )
    asker.start()
    driven.finish_db()
    asker.join(70)
    assert waited[0]["ready"]
    assert waited[0]["version"] > answer["version"]
    assert driven.api.get("/readyz?strict=1").status == 200


def test_a_change_is_answered_to_who_has_seen_what_was_before(driven: DrivenRuntime) -> None:
    seen = driven.api.get("/readyz").json()["version"]
    driven.stop_db()
    answer = driven.api.get(f"/readyz?wait=60&change=1&after={seen}", timeout=70).json()
    assert answer["version"] > seen
    assert not answer["ready"]


def test_lines_come_to_who_follows_and_stay_in_the_tail(driven: DrivenRuntime) -> None:
    stream = driven.api.open("/logs/follow?serviceId=db")
    for line in ("one", "two é"):
        driven.say(line)
    assert [stream.readline().decode() for _ in range(2)] == ["one\n", "two é\n"]
    wait_until(
        lambda: driven.api.get("/logs/tail?serviceId=db&lines=1").body.decode() == "two é\n",
        what="the last line in the tail",
    )


def test_events_have_numbers_without_holes_by_the_page_and_as_a_stream(
    driven: DrivenRuntime,
) -> None:
    last = driven.api.get("/events?after=latest").json()
    assert (last["events"], last["missed"]) == ([], 0)
    stream = driven.api.open(f"/events?after={last['next']}", Accept=STREAM)
    assert stream.headers["Content-Type"] == STREAM
    assert frame(stream) == {"retry": "1000"}
    for _ in range(2):
        driven.happen()
    page = driven.api.get(f"/events?after={last['next']}&wait=30", timeout=40).json()
    seqs = [event["seq"] for event in page["events"]]
    assert seqs == list(range(last["next"] + 1, page["next"] + 1))
    told: list[Any] = []
    while len(told) < len(seqs):
        one = frame(stream)
        if "id" in one:  # between them it tells of progress
            told.append(json.loads(one["data"]))
    assert told == page["events"]
    resumed = driven.api.open("/events", **{"Accept": STREAM, "Last-Event-ID": str(seqs[0] - 1)})
    frame(resumed)
    assert json.loads(frame(resumed)["data"]) == page["events"][0]


def test_a_command_is_answered_with_the_service_as_it_is(driven: DrivenRuntime) -> None:
    reply = driven.api.post("/services/web%2Eapi-1/restart")
    assert reply.status == 202
    assert {"id", "state", "message"} <= reply.json().keys()
    assert reply.json()["id"] == "web.api-1"
    assert driven.api.post("/services/nobody/stop").refusal == (404, "unknown_service")


@pytest.mark.ends_the_runtime
def test_while_it_ends_it_is_read_and_takes_no_command(driven: DrivenRuntime) -> None:
    driven.begin_the_end()
    health = driven.api.get("/healthz", token=None)
    assert (health.status, health.json()["status"]) == (503, "stopping")
    assert driven.api.post("/services/db/start").refusal == (503, "stopping")
    assert driven.api.post("/secrets", {"secrets": {"session": "x"}}).refusal == (503, "stopping")
    assert driven.api.get("/readyz").json()["ready"] is False
    assert driven.api.get("/ports").json()["services"].keys() == {"db", "web.api-1"}
    again = driven.api.post("/shutdown")
    assert (again.status, again.json()) == (202, {"status": "stopping"})
