"""The telemetry events over HTTP: by the page, and as a stream that goes on where it was."""

from __future__ import annotations

import json
import threading

import pytest

from bundlevisor.actors.core.report import Doing
from bundlevisor.actors.core.snapshot import State
from tests.control.fake_runtime import FakeRuntime
from tests.control.wire import STREAM, Api, frame
from tests.waiting import WITHIN, wait_until


def test_events_are_streamed_in_order_and_resumed_by_number(api: Api, runtime: FakeRuntime) -> None:
    runtime.events.emit("runtime_start")
    runtime.events.emit("service_start", "db", pid=1)
    response = api.open("/events?after=1", Accept=STREAM)
    assert response.headers["Content-Type"] == "text/event-stream"
    assert frame(response) == {"retry": "1000"}
    second = frame(response)
    assert (second["id"], second["event"]) == ("2", "service_start")
    assert json.loads(second["data"]) == {
        "ts": "t",
        "seq": 2,
        "event": "service_start",
        "service_id": "db",
        "details": {"pid": 1},
    }
    runtime.events.emit("service_ready", "db")
    assert frame(response)["id"] == "3"
    response.close()
    resumed = api.open("/events", **{"Accept": STREAM, "Last-Event-ID": "2"})
    frame(resumed)
    assert frame(resumed)["id"] == "3"


@pytest.mark.parametrize("after", ["latest", "1"])
def test_who_connects_again_misses_nothing_wherever_it_began(
    api: Api, runtime: FakeRuntime, after: str
) -> None:
    """An EventSource keeps its address, and says in a header what it has seen."""
    for _ in range(4):
        runtime.events.emit("tick")
    resumed = api.open(f"/events?after={after}", **{"Accept": STREAM, "Last-Event-ID": "2"})
    frame(resumed)
    runtime.events.emit("tick")
    assert frame(resumed)["id"] == "3"


def test_who_has_seen_numbers_that_began_anew_hears_this_run(
    api: Api, runtime: FakeRuntime
) -> None:
    runtime.events.emit("runtime_start")
    resumed = api.open("/events?after=1000", Accept=STREAM)
    frame(resumed)
    assert frame(resumed)["id"] == "1"


@pytest.mark.parametrize("seen", ["9" * 5000, "0" * 5000, "-1", "²"])
def test_what_is_no_number_of_an_event_is_passed_over(
    api: Api, runtime: FakeRuntime, seen: str
) -> None:
    runtime.events.emit("tick")
    resumed = api.open("/events", **{"Accept": STREAM, "Last-Event-ID": seen})
    assert resumed.status == 200
    frame(resumed)
    assert frame(resumed)["id"] == "1"


def test_a_stream_tells_of_progress_between_the_events(api: Api, runtime: FakeRuntime) -> None:
    """Without a number: it is of now, and nothing to resume at."""
    response = api.open("/events", Accept=STREAM)
    frame(response)
    runtime.change("db", State.STARTING, doing=Doing(text="loading", fraction=0.5))
    told = frame(response)
    assert set(told) == {"event", "data"}
    assert told["event"] == "progress"
    progress = json.loads(told["data"])
    assert (progress["done"], progress["total"], progress["slowest"]) == (2, 3, "db")
    assert progress["working_on"][0]["text"] == "loading"
    runtime.events.emit("service_ready", "db")
    assert frame(response)["id"] == "1"
    runtime.change("db", State.READY, doing=Doing())
    assert json.loads(frame(response)["data"]) == {"fraction": 1.0, "done": 3, "total": 3}


def test_a_stream_says_how_many_events_it_has_missed(api: Api, runtime: FakeRuntime) -> None:
    for _ in range(10):
        runtime.events.emit("tick")
    del runtime.events.kept[:6]
    response = api.open("/events?after=2", Accept=STREAM)
    frame(response)
    assert frame(response) == {"event": "missed", "data": '{"count":4}'}
    assert frame(response)["id"] == "7"
    response.close()
    page = api.get("/events?after=2").json()
    assert page["missed"] == 4


def test_a_page_of_events_is_json(api: Api, runtime: FakeRuntime) -> None:
    for _ in range(5):
        runtime.events.emit("tick")
    page = api.get("/events?after=1&limit=2").json()
    assert [event["seq"] for event in page["events"]] == [2, 3]
    assert (page["next"], page["missed"]) == (3, 0)
    last = api.get("/events?after=5").json()
    assert last == {"events": [], "next": 5, "missed": 0}


def test_a_page_may_be_waited_for(api: Api, runtime: FakeRuntime) -> None:
    pages = []

    def ask() -> None:
        pages.append(api.get("/events?after=0&wait=30").json())

    waiter = threading.Thread(target=ask)
    waiter.start()
    wait_until(lambda: runtime.events.waited, what="the request waits for an event")
    assert not pages
    runtime.events.emit("tick")
    waiter.join(WITHIN)
    assert [event["event"] for event in pages[0]["events"]] == ["tick"]


@pytest.mark.parametrize("accept", [None, "*/*", "application/json"])
def test_events_come_by_the_page_unless_a_stream_is_asked_for(
    api: Api, runtime: FakeRuntime, accept: str | None
) -> None:
    runtime.events.emit("tick")
    reply = api.get("/events", **({"Accept": accept} if accept else {}))
    assert reply.headers["Content-Type"] == "application/json"
    assert [event["seq"] for event in reply.json()["events"]] == [1]


def test_latest_begins_now_by_the_page_and_as_a_stream(api: Api, runtime: FakeRuntime) -> None:
    for _ in range(3):
        runtime.events.emit("tick")
    assert api.get("/events?after=latest").json() == {"events": [], "next": 3, "missed": 0}
    response = api.open("/events?after=latest", Accept=STREAM)
    frame(response)
    runtime.events.emit("tock")
    assert frame(response)["id"] == "4"


@pytest.mark.parametrize("query", ["limit=5", "wait=1"])
def test_what_belongs_to_a_page_is_refused_for_a_stream(api: Api, query: str) -> None:
    reply = api.get(f"/events?{query}", Accept=STREAM)
    assert reply.refusal[0] == 400
    assert "is for a page of events" in reply.json()["error"]


@pytest.mark.parametrize("query", ["after=x", "after=-1", "after=1.5", "after="])
def test_a_sequence_number_that_is_none_is_400(api: Api, query: str) -> None:
    assert api.get(f"/events?{query}").refusal == (400, "bad_after")
