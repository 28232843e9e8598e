from __future__ import annotations

import threading
import time

import pytest

from bundlevisor.actors.core.messages import STOPPING, Outcome
from bundlevisor.actors.core.snapshot import Phase, ServiceView, State
from bundlevisor.control.api.services import is_done, is_settled
from bundlevisor.control.api.who_asked import LONGEST_AGENT
from bundlevisor.control.cli import queries
from bundlevisor.control.wire.facade import Action
from tests.control.commands import Cli
from tests.control.fake_runtime import FakeRuntime, view
from tests.control.wire import Api, Reply
from tests.waiting import WITHIN, wait_until


class Later(threading.Thread):
    """A request that is answered some time, while the test goes on."""

    def __init__(self, api: Api, path: str) -> None:
        super().__init__(daemon=True)
        self.api, self.path = api, path
        self.start()

    def run(self) -> None:
        self._reply = self.api.post(self.path)

    @property
    def answered(self) -> bool:
        return not self.is_alive()

    def reply(self) -> Reply:
        self.join(WITHIN)
        assert self.answered, f"no answer to {self.path}"
        return self._reply


@pytest.mark.parametrize("action", ["start", "stop", "restart"])
def test_a_command_is_accepted_with_the_state_and_whom_it_affects(
    api: Api, runtime: FakeRuntime, action: str
) -> None:
    runtime.outcome = Outcome(affected=("web.api-1",))
    reply = api.post(f"/services/db/{action}")
    assert reply.status == 202
    assert reply.json() == {
        "id": "db",
        "state": "ready",
        "message": "ready",
        "affected": ["web.api-1"],
    }
    assert runtime.commands == [("db", action)]


def test_an_unknown_service_is_404_and_asked_of_nobody(api: Api, runtime: FakeRuntime) -> None:
    assert api.post("/services/nobody/stop").refusal == (404, "unknown_service")
    assert runtime.commands == []


def test_an_id_may_hold_dots_and_be_percent_encoded(api: Api, runtime: FakeRuntime) -> None:
    assert api.post("/services/web%2Eapi-1/stop").status == 202
    assert runtime.commands == [("web.api-1", "stop")]


def test_a_command_that_the_state_forbids_is_409_with_the_reason(
    api: Api, runtime: FakeRuntime
) -> None:
    runtime.outcome = Outcome(conflict="db is stopping; try again later")
    reply = api.post("/services/db/start")
    assert reply.refusal == (409, "wrong_state")
    assert reply.json()["error"] == "db is stopping; try again later"


def test_an_end_that_no_picture_shows_yet_is_503_as_one_that_does(
    api: Api, runtime: FakeRuntime
) -> None:
    runtime.outcome = STOPPING
    assert api.post("/services/db/start").refusal == (503, "stopping")


def test_a_supervisor_that_does_not_answer_is_503(api: Api, runtime: FakeRuntime) -> None:
    runtime.command_error = TimeoutError()
    assert api.post("/services/db/start").refusal == (503, "no_answer")


def test_waiting_for_a_stop_answers_when_nothing_runs(api: Api, runtime: FakeRuntime) -> None:
    runtime.change("db", State.STOPPING, kept_down=True)
    later = Later(api, "/services/db/stop?wait=30")
    assert runtime.board.await_verdicts() == {False}
    assert not later.answered
    runtime.change("db", State.STOPPED)
    assert later.reply().json() | {"message": ""} == {
        "id": "db",
        "state": "stopped",
        "message": "",
        "affected": [],
        "done": True,
    }


def test_waiting_for_a_restart_takes_the_old_incarnation_for_nothing(
    api: Api, runtime: FakeRuntime
) -> None:
    runtime.change("db", State.READY, incarnation=3)
    runtime.outcome = Outcome(after=3)
    later = Later(api, "/services/db/restart?wait=30")
    wait_until(lambda: runtime.commands, what="the command came")
    runtime.change("web.api-1", State.STOPPING)
    for state in (State.STOPPING, State.WAITING, State.STARTING):
        runtime.change("db", state)
        assert runtime.board.await_verdicts() == {False}
        assert not later.answered
    runtime.change("db", State.READY, incarnation=4)
    assert later.reply().json()["done"] is True


def test_waiting_for_a_start_ends_when_it_fails(api: Api, runtime: FakeRuntime) -> None:
    runtime.change("db", State.WAITING)
    later = Later(api, "/services/db/start?wait=30")
    wait_until(lambda: runtime.commands, what="the command came")
    runtime.change("db", State.STARTING)
    runtime.change("db", State.FAILED, message="exit 1")
    answer = later.reply().json()
    assert (answer["done"], answer["state"], answer["message"]) == (False, "failed", "exit 1")


def test_waiting_ends_with_the_time_that_was_given(api: Api, runtime: FakeRuntime) -> None:
    runtime.change("db", State.STARTING)
    reply = api.post("/services/db/start?wait=0.05")
    assert reply.status == 202
    assert reply.json()["done"] is False


def test_waiting_for_a_start_ends_when_the_bundle_stops(api: Api, runtime: FakeRuntime) -> None:
    runtime.change("db", State.STARTING)
    later = Later(api, "/services/db/start?wait=30")
    wait_until(lambda: runtime.commands, what="the command came")
    runtime.set_phase(Phase.STOPPING)
    assert later.reply().json()["done"] is False


@pytest.mark.parametrize("wait", ["soon", "-1", "nan", "1,5", "%20"])
def test_a_wait_that_is_no_number_is_400(api: Api, runtime: FakeRuntime, wait: str) -> None:
    reply = api.post(f"/services/db/stop?wait={wait}")
    assert reply.refusal == (400, "bad_wait")
    assert reply.json()["error"] == "wait must be a number of seconds, 0 or more"
    assert runtime.commands == []


@pytest.mark.parametrize(
    ("action", "now", "done", "settled"),
    [
        ("stop", view("a", State.STOPPING, kept_down=True), False, False),
        ("stop", view("a", State.STOPPED, kept_down=True), True, True),
        ("stop", view("a", State.WAITING), False, True),
        ("stop", view("a", State.STOPPED), False, True),
        ("stop", view("a", State.STOPPING), False, True),
        ("start", view("a", State.READY, incarnation=1), False, False),
        ("start", view("a", State.READY, incarnation=2), True, True),
        ("start", view("a", State.STOPPING, incarnation=2), False, False),
        ("start", view("a", State.STOPPING, incarnation=2, kept_down=True), False, True),
        ("start", view("a", State.FAILED, incarnation=2), False, True),
        ("start", view("a", State.STOPPED, incarnation=2), False, True),
        ("start", view("a", State.WAITING, blocked=True), False, True),
        ("start", view("a", State.WAITING), False, False),
        ("restart", view("a", State.STOPPING, incarnation=1), False, False),
        ("restart", view("a", State.STARTING, incarnation=2), False, False),
        ("restart", view("a", State.BACKOFF, incarnation=2), False, False),
        ("restart", view("a", State.READY, incarnation=2), True, True),
        ("restart", view("a", State.FAILED, incarnation=2), False, True),
    ],
)
def test_when_a_command_is_done_and_when_waiting_is_of_no_use(
    action: Action, now: ServiceView, done: bool, settled: bool
) -> None:
    assert is_done(action, 1, now) is done
    assert is_settled(action, 1, now) is settled


def test_readiness_is_answered_the_moment_it_turns_true(api: Api, runtime: FakeRuntime) -> None:
    runtime.change("db", State.STARTING)
    answers = []
    waiter = threading.Thread(target=lambda: answers.append(api.get("/readyz?wait=30").json()))
    waiter.start()
    runtime.change("web.api-1", State.READY)
    assert runtime.board.await_verdicts() == {False}
    assert not answers
    runtime.change("db", State.READY)
    waiter.join(WITHIN)
    assert answers[0]["ready"] is True


@pytest.mark.parametrize(
    "fields", [{"state": State.FAILED}, {"state": State.WAITING, "blocked": True}]
)
def test_waiting_for_readiness_ends_when_it_cannot_come(
    api: Api, runtime: FakeRuntime, fields: dict[str, object]
) -> None:
    runtime.change("db", **fields)  # type: ignore[arg-type]
    began = time.monotonic()
    assert api.get("/readyz?wait=60").json()["ready"] is False
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/services/db/stop"), ("POST", "/secrets"), ("POST", "/shutdown"),
     ("GET", "/shutdown")],
)  # fmt: skip
def test_who_asks_for_something_to_be_done_is_told(
    api: Api, runtime: FakeRuntime, method: str, path: str
) -> None:
    body = '{"secrets": {}}' if path == "/secrets" else None
    api.ask(method, path, body, User_Agent="shell/1.0 " + "x" * 1000)
    ((request, agent, port),) = runtime.asked
    assert request == f"{method} {path}"
    assert agent == ("shell/1.0 " + "x" * 1000)[:LONGEST_AGENT]
    assert port > 0


def test_who_only_looks_is_not_told(api: Api, runtime: FakeRuntime) -> None:
    for path in ("/status", "/secrets", "/readyz"):
        api.get(path)
    assert runtime.asked == []


@pytest.mark.parametrize(
    ("action", "state", "code"),
    [
        ("restart", State.READY, 0),
        ("start", State.FAILED, 1),
        ("stop", State.STOPPED, 0),
    ],
)
def test_the_client_waits_longer_than_one_request_does(
    cli: Cli,
    runtime: FakeRuntime,
    monkeypatch: pytest.MonkeyPatch,
    action: str,
    state: State,
    code: int,
) -> None:
    monkeypatch.setattr(queries, "LONGEST_WAIT_S", 0.05)
    runtime.change("db", State.STOPPING, kept_down=action == "stop")

    def settle() -> None:
        wait_until(lambda: runtime.measured, what="a look at the services")
        runtime.change("db", state)

    other = threading.Thread(target=settle)
    other.start()
    found, out, _ = cli(action, "db", "--wait", "30")
    other.join()
    assert (found, state.value in out) == (code, True)
    assert runtime.commands == [("db", action)]


def test_the_client_waits_no_longer_for_what_a_dependency_keeps_from_it(
    cli: Cli, runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the API does, within one request."""
    monkeypatch.setattr(queries, "LONGEST_WAIT_S", 0.05)
    runtime.change("web.api-1", State.WAITING, message="waiting for db")

    answers = []

    def ask() -> None:
        answers.append(cli("start", "web.api-1", "--wait", "1000000"))

    asker = threading.Thread(target=ask, daemon=True)
    asker.start()
    wait_until(lambda: runtime.measured, what="a look at the services")
    why = "blocked: db failed (exit 1)"
    runtime.change("web.api-1", State.WAITING, blocked=True, message=why)
    asker.join(WITHIN)
    ((code, out, _),) = answers
    assert (code, why in out) == (1, True)
