from __future__ import annotations

import contextlib
import json
import threading
import time

import pytest

from bundlevisor.actors.core.report import Doing
from bundlevisor.actors.core.snapshot import State
from bundlevisor.control.http.server import ControlServer
from tests.control.fake_runtime import FakeRuntime
from tests.control.wire import TOKEN, Api, Reply, Streamed
from tests.waiting import wait_until

STREAM = "text/event-stream"


def frame(response: Streamed) -> dict[str, str]:
    """The next Server-Sent Event, comments left out."""
    fields: dict[str, str] = {}
    while line := response.readline().decode().rstrip("\n"):
        name, _, value = line.partition(": ")
        fields[name] = value
    return fields


def test_a_followed_log_comes_as_it_is_written(api: Api, runtime: FakeRuntime) -> None:
    runtime.logs.content["db"] = b"old\nolder\n"
    response = api.open("/logs/follow?serviceId=db&lines=1")
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.readline() == b"older\n"
    subscription = runtime.logs.subscriptions[0]
    for part in (b"new ", b"line \xc3", b"\xa9 \xff\n"):
        subscription.queue.put(part)
    assert response.readline().decode() == "new line é \ufffd\n"
    subscription.queue.put(None)
    assert response.read() == b""


def test_the_headers_of_a_silent_log_come_at_once(api: Api, runtime: FakeRuntime) -> None:
    response = api.open("/logs/follow?serviceId=db")
    assert response.status == 200
    assert runtime.logs.subscriptions, "subscribed before the headers were sent"
    response.close()


def test_a_subscription_ends_with_its_client(api: Api, runtime: FakeRuntime) -> None:
    response = api.open("/logs/follow?serviceId=db")
    response.close()
    wait_until(runtime.logs.subscriptions[0].closed.is_set, what="the subscription is closed")


def test_following_an_unknown_service_is_404(api: Api) -> None:
    assert api.get("/logs/follow?serviceId=nobody").refusal == (404, "unknown_service")
    assert api.get("/logs/follow").refusal == (400, "missing_service_id")


def test_head_of_a_stream_subscribes_to_nothing(api: Api, runtime: FakeRuntime) -> None:
    assert api.ask("HEAD", "/logs/follow?serviceId=db").status == 200
    assert api.ask("HEAD", "/events", Accept=STREAM).status == 200
    assert runtime.logs.subscriptions == []


def test_a_slow_reader_holds_nobody_up(api: Api, runtime: FakeRuntime) -> None:
    slow = api.connect()
    slow.sendall(
        b"GET /logs/follow?serviceId=db HTTP/1.1\r\nHost: localhost\r\n"
        b"Authorization: Bearer " + TOKEN.encode() + b"\r\n\r\n"
    )
    wait_until(lambda: runtime.logs.subscriptions, what="the slow reader has subscribed")
    subscription = runtime.logs.subscriptions[0]
    for _ in range(400):
        subscription.queue.put(b"x" * 65536)
    wait_until(lambda: subscription.queue.qsize() < 390, what="the stream has begun")
    assert api.get("/healthz").status == 200
    other = api.open("/logs/follow?serviceId=db")
    runtime.logs.subscriptions[1].queue.put(b"hello\n")
    assert other.readline() == b"hello\n"
    assert subscription.queue.qsize() > 100, "what nobody reads stays at its source"
    slow.close()
    wait_until(subscription.closed.is_set, what="the slow reader's subscription is closed")


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
    waiter.join(10)
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


def test_a_ninth_stream_is_429_and_room_comes_back(api: Api) -> None:
    streams = [api.open("/logs/follow?serviceId=db") for _ in range(4)]
    streams += [api.open("/events", Accept=STREAM) for _ in range(4)]
    assert [stream.status for stream in streams] == [200] * 8
    assert api.get("/events", Accept=STREAM).refusal == (429, "too_many_streams")
    assert api.get("/events", token=None).refusal == (401, "unauthorized")
    assert api.get("/events", Host="evil.org").refusal == (403, "forbidden_host")
    assert api.get("/readyz").status == 200
    streams.pop().close()

    wait_until(
        lambda: api.open("/events", Accept=STREAM).status == 200, what="there is room for one more"
    )


def refused_wait(api: Api) -> Reply | None:
    answer = api.get("/readyz?wait=0.01", timeout=5)
    return answer if answer.status == 429 else None


def test_waits_and_streams_never_use_up_the_threads_that_answer(
    api: Api, runtime: FakeRuntime
) -> None:
    runtime.change("db", State.STARTING)
    with contextlib.ExitStack() as clients:
        for _ in range(70):
            client = clients.enter_context(api.connect())
            client.sendall(
                b"GET /readyz?wait=60 HTTP/1.1\r\nHost: localhost\r\n"
                b"Authorization: Bearer " + TOKEN.encode() + b"\r\n\r\n"
            )
        for _ in range(8):
            api.open("/events", Accept=STREAM)
        assert api.get("/healthz", token=None).status == 200
        assert api.get("/readyz").status == 200
        full = wait_until(lambda: refused_wait(api), what="all seventy waits to be read")
        assert full is not None
        assert full.refusal == (429, "too_many_waits")
    wait_until(
        lambda: api.get("/readyz?wait=0").status == 200,
        what="clients that went away free their wait",
    )


def test_a_stuck_supervisor_holds_up_no_answer(api: Api, runtime: FakeRuntime) -> None:
    runtime.hold.clear()
    stuck = []

    def command() -> None:
        stuck.append(api.post("/services/db/stop").status)

    threads = [threading.Thread(target=command) for _ in range(20)]
    for thread in threads:
        thread.start()
    wait_until(lambda: runtime.commands, what="a command came")
    for path in ("/healthz", "/readyz", "/ports", "/telemetry", "/secrets"):
        assert api.get(path).status == 200
    assert api.post("/shutdown").status == 202
    assert not stuck
    runtime.hold.set()
    for thread in threads:
        thread.join(10)


def test_the_end_of_the_server_ends_streams_and_waits_at_once(
    server: tuple[ControlServer, int], api: Api, runtime: FakeRuntime
) -> None:
    runtime.change("db", State.STARTING)
    log, events = api.open("/logs/follow?serviceId=db"), api.open("/events", Accept=STREAM)
    frame(events)
    assert frame(events)["event"] == "progress"
    waited: list[bool] = []

    def wait() -> None:
        waited.append(api.get("/readyz?wait=60").json()["ready"])

    waiter = threading.Thread(target=wait)
    waiter.start()
    wait_until(lambda: log.status and threads_named("api-wait"), what="the wait is being served")
    began = time.monotonic()
    assert server[0].stop(10)
    assert time.monotonic() - began < 30
    assert (log.read(), events.read()) == (b"", b"")
    waiter.join(5)
    assert waited == [False]
    assert runtime.logs.subscriptions[0].closed.is_set()


def threads_named(name: str) -> bool:
    return any(thread.name == name for thread in threading.enumerate())
