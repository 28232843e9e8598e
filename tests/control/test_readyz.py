"""What /readyz says, and when it answers who waits for a change."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from bundlevisor.actors.core.snapshot import State
from bundlevisor.control.api import progress_watch
from bundlevisor.control.api.progress_watch import ProgressWatch, Versions
from tests.control.fake_runtime import FakeRuntime, view
from tests.control.fake_sources import NOON
from tests.control.wire import Api
from tests.waiting import wait_until


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What progress is timed by; ``now`` is in seconds."""
    clock = SimpleNamespace(now=100.0)
    clock.monotonic = lambda: clock.now
    monkeypatch.setattr(progress_watch, "time", clock)
    return clock


def test_readyz_says_everything_about_a_service(api: Api, runtime: FakeRuntime) -> None:
    runtime.publish(
        view(
            "db",
            State.BACKOFF,
            message="exit 3, next try in 1.2 s",
            exit_code=3,
            restarts=2,
            started_at=NOON,
            pid=None,
        ),
        view("web.api-1", State.WAITING, waiting_for=("db",)),
        view("extra", State.INACTIVE, on_demand=True, skip_reason="on demand", message=""),
    )
    reply = api.get("/readyz")
    assert reply.status == 200
    assert reply.json() == {
        "ready": False,
        "details": {
            "db": {
                "ready": False,
                "message": "exit 3, next try in 1.2 s",
                "exit_code": 3,
                "started_at": "2023-11-14T22:13:20.125Z",
                "updated_at": "2023-11-14T22:13:20.125Z",
                "state": "backoff",
                "restarts": 2,
            },
            "web.api-1": {
                "ready": False,
                "message": "waiting",
                "updated_at": "2023-11-14T22:13:20.125Z",
                "state": "waiting",
                "restarts": 0,
                "waiting_for": ["db"],
            },
            "extra": {
                "ready": False,
                "skipped": True,
                "message": "on demand",
                "updated_at": "2023-11-14T22:13:20.125Z",
                "state": "inactive",
                "restarts": 0,
            },
        },
        "gpu": {
            "available": True,
            "method": "files",
            "reason": "/dev/dri",
            "requirements": {"extra": "optional"},
        },
        "progress": {
            "fraction": 0.0,
            "done": 0,
            "total": 2,
            "working_on": [
                {
                    "service": "db",
                    "phase": "restarting",
                    "text": "exit 3, next try in 1.2 s",
                    "elapsed_s": 0.0,
                },
                {
                    "service": "web.api-1",
                    "phase": "dependencies",
                    "text": "waiting",
                    "elapsed_s": 0.0,
                },
            ],
            "slowest": "db",
        },
        "version": 2,
    }


def test_readyz_answers_at_any_change(api: Api, runtime: FakeRuntime) -> None:
    runtime.change("db", State.STARTING)
    seen = api.get("/readyz").json()["version"]
    answers: list[Any] = []
    measured = runtime.measured

    def ask(path: str) -> threading.Thread:
        asker = threading.Thread(target=lambda: answers.append(api.get(path, timeout=40).json()))
        asker.start()
        return asker

    asker = ask(f"/readyz?wait=30&change=1&after={seen}")
    wait_until(lambda: runtime.measured > measured, what="the wait has begun")
    runtime.change("db", State.STARTING, message="starting: loading")
    asker.join(20)
    assert answers[0]["details"]["db"]["message"] == "starting: loading"
    assert not answers[0]["ready"]
    assert answers[0]["version"] > seen
    missed = api.get(f"/readyz?wait=30&change=1&after={seen}", timeout=20).json()
    assert missed["version"] == answers[0]["version"], "what came between two questions is told"


def test_readyz_answers_when_only_the_progress_has_changed(api: Api, runtime: FakeRuntime) -> None:
    """No snapshot says that a service has written a line, or that time has passed."""
    runtime.change("db", State.STARTING)
    runtime.last_line = "one"
    version = runtime.board.snapshot.version
    answers: list[Any] = []
    measured = runtime.measured
    asker = threading.Thread(
        target=lambda: answers.append(api.get("/readyz?wait=30&change=1", timeout=40).json())
    )
    asker.start()
    wait_until(lambda: runtime.measured > measured, what="the wait has begun")
    runtime.last_line = "two"
    asker.join(20)
    assert answers[0]["progress"]["last_line"] == "two"
    assert answers[0]["version"] > version


def test_a_progress_that_came_between_two_questions_is_told(api: Api, runtime: FakeRuntime) -> None:
    runtime.change("db", State.STARTING)
    runtime.last_line = "one"
    first = api.get("/readyz").json()
    assert api.get("/%72eadyz?wait=0&change=1").json()["version"] == first["version"]
    runtime.last_line = "two"
    after = first["version"]
    second = api.get(f"/readyz?wait=30&change=1&after={after}", timeout=20).json()
    assert second["progress"]["last_line"] == "two"
    assert second["version"] > after


def test_readyz_is_true_when_all_that_count_are_ready(api: Api, runtime: FakeRuntime) -> None:
    runtime.publish(view("extra", State.INACTIVE, on_demand=True))
    assert api.get("/readyz").json()["ready"] is True


def test_strict_readiness_is_a_status_for_probes(api: Api, runtime: FakeRuntime) -> None:
    assert api.get("/readyz?strict=1").status == 200
    runtime.publish(view("db", State.STARTING))
    assert api.get("/readyz?strict=1").status == 503
    assert api.get("/readyz?strict=0").status == 200
    assert api.get("/readyz").status == 200


def test_progress_is_told_four_times_a_second_at_most(
    runtime: FakeRuntime, clock: SimpleNamespace
) -> None:
    watch = ProgressWatch(runtime)
    runtime.change("db", State.STARTING)
    assert watch.news(runtime.board.snapshot) is not None
    clock.now += 0.2
    runtime.change("db", State.READY)
    assert watch.news(runtime.board.snapshot) is None
    clock.now += 0.1
    told = watch.news(runtime.board.snapshot)
    assert told is not None
    assert told.done == 3


def test_who_asks_again_at_once_is_told_of_progress_four_times_a_second(
    runtime: FakeRuntime, clock: SimpleNamespace
) -> None:
    runtime.change("db", State.STARTING)
    snapshot, versions = runtime.board.snapshot, Versions()
    runtime.last_line = "one"
    seen = versions.number(snapshot, runtime.progress(snapshot))
    assert versions.is_of_now(seen)
    watch = ProgressWatch(runtime, looked=clock.now)
    runtime.last_line = "two"
    clock.now += 0.2
    assert watch.news(snapshot) is None
    clock.now += 0.1
    assert watch.news(snapshot) is not None
    runtime.change("db", State.READY)
    snapshot = runtime.board.snapshot
    versions.number(snapshot, runtime.progress(snapshot))
    assert not versions.is_of_now(seen)
