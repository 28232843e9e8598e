"""Answers without an end, and those that are waited for: they hold nobody else up."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from typing import Any

import pytest

from bundlevisor.actors.core.snapshot import State
from bundlevisor.actors.logs.timed_lines import Line
from bundlevisor.control.cli import client
from bundlevisor.control.cli.find import Endpoint
from bundlevisor.control.http.server import ControlServer
from bundlevisor.control.wire.lanes import THREADS, Lane
from tests.control.fake_runtime import FakeRuntime
from tests.control.fake_sources import NOON
from tests.control.wire import HEAD, STREAM, TOKEN, Api, Reply, frame
from tests.waiting import WITHIN, wait_until


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


def test_the_command_waits_for_a_silent_log_however_long(api: Api) -> None:
    here = Endpoint(host="127.0.0.1", port=api.port, token=api.token, token_path="", app_data="")
    with client.Client(here).stream("/logs/follow", serviceId="db") as response:
        raw: Any = response.fp
        assert response.will_close, "the connection has handed its socket over"
        assert raw.raw._sock.gettimeout() is None


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


def streamed(api: Api, path: str, **headers: str) -> Any:
    """Return a stream, once those of the test before have gone."""

    def opened() -> Any:
        stream = api.open(path, **headers)
        return stream if stream.status == 200 else None

    return wait_until(opened, what="room for a stream")


def test_a_ninth_stream_is_429_and_room_comes_back(api: Api) -> None:
    streams = [streamed(api, "/logs/follow?serviceId=db") for _ in range(4)]
    streams += [streamed(api, "/events", Accept=STREAM) for _ in range(4)]
    assert api.get("/events", Accept=STREAM).refusal == (429, "too_many_streams")
    assert api.get("/events", token=None).refusal == (401, "unauthorized")
    assert api.get("/events", Host="evil.org").refusal == (403, "forbidden_host")
    assert api.get("/readyz").status == 200
    streams.pop().close()

    wait_until(
        lambda: api.open("/events", Accept=STREAM).status == 200, what="there is room for one more"
    )


def refused_wait(api: Api) -> Reply | None:
    answer = api.get("/readyz?wait=0.01")
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
        lambda: refused_wait(api) is None,
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
        thread.join(WITHIN)


def test_a_disk_that_hangs_holds_up_no_answer_from_memory(
    api: Api, runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading: list[object] = []
    go_on = threading.Event()

    def hanging(*arguments: object) -> tuple[()]:
        reading.append(arguments)
        go_on.wait(3 * WITHIN)
        return ()

    monkeypatch.setattr(runtime.events, "page", hanging)
    monkeypatch.setattr(runtime, "earlier_timelines", hanging)
    with contextlib.ExitStack() as clients:
        for target in (b"/events?after=0", b"/timeline?earlier=1") * 5:
            client = clients.enter_context(api.connect())
            client.sendall(b"GET " + target + b" HTTP/1.1\r\n" + HEAD + b"\r\n")
        wait_until(lambda: len(reading) == THREADS[Lane.DISK], what="so many read")
        assert api.post("/services/db/stop", timeout=WITHIN).status == 202
        assert api.get("/metrics", timeout=WITHIN).status == 200
        assert api.get("/secrets", timeout=WITHIN).status == 200
        assert api.post("/shutdown", timeout=WITHIN).status == 202
        go_on.set()


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
    wait_until(lambda: log.status, what="the log is followed")
    runtime.board.await_verdicts()
    began = time.monotonic()
    assert server[0].stop(10)
    assert time.monotonic() - began < 30
    assert (log.read(), events.read()) == (b"", b"")
    waiter.join(WITHIN)
    assert waited == [False]
    assert runtime.logs.subscriptions[0].closed.is_set()


def test_the_end_of_the_server_leaves_nothing_of_a_followed_log_untold(
    server: tuple[ControlServer, int], api: Api, runtime: FakeRuntime
) -> None:
    runtime.logs.content["db"] = b"hello\n"
    log = api.open("/logs/follow?serviceId=db&lines=1")
    lines = api.open("/logs/lines?services=db&follow=1")
    assert (log.readline(), json.loads(lines.readline())["line"]) == (b"hello\n", "hello")
    runtime.logs.subscriptions[0].waiting = b"goodbye\n"
    runtime.logs.line_readers[0].queue.put([Line(NOON, b"goodbye")])
    assert server[0].stop(10)
    assert log.read() == b"goodbye\n"
    assert json.loads(lines.read())["line"] == "goodbye"
