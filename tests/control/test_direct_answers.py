"""What is answered without Falcon is what Falcon would answer, to the byte."""

from __future__ import annotations

import itertools
import re
import socket
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from bundlevisor.actors.core.snapshot import Phase, State
from bundlevisor.control.api import status
from bundlevisor.control.http.direct_answers import DirectAnswers
from bundlevisor.control.http.late_application import LateApplication
from bundlevisor.control.wire.bodies import Gpu
from tests.control.fake_runtime import FakeRuntime
from tests.control.fake_sources import NOON
from tests.control.wire import TOKEN, Api

PLAIN = (
    "",
    "?wait=0",
    "?wait=0.0",
    "?strict=1",
    "?strict=true&wait=0",
    "?change=1&after=3",
)
REFUSED = ("?wait=soon", "?wait=-1", "?wait=inf", "?wait=1_0", "?strict=maybe", "?wiat=1", "?a=b")
ODD = ("?", "?wait", "?wait=", "?wait=%30", "?wait=0&wait=1", "?wait=0&&strict=1", "?=1", "?+=1")
ENDS = ("HTTP/1.1", "HTTP/1.0")
WISHES = ("", "Connection: close\r\n", "Connection: keep-alive\r\n", "Connection: Close\r\n")
DATE = re.compile(rb"Date: [^\r]+")


def request(target: str, end: str = "HTTP/1.1", wish: str = "", method: str = "GET") -> bytes:
    head = f"{method} {target} {end}\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n"
    return f"{head}{wish}\r\n".encode()


def answers(api: Api, requests: list[bytes]) -> list[bytes]:
    """Each on a connection of its own; the client's end closes it where no answer does."""
    found = []
    for one in requests:
        with api.connect() as client:
            client.sendall(one)
            client.shutdown(socket.SHUT_WR)
            whole = b"".join(iter(lambda: client.recv(65536), b""))
        found.append(DATE.sub(b"Date: then", whole))
    return found


@pytest.fixture
def by_falcon(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that the application has been asked for."""
    asked = []
    call = LateApplication.__call__

    def spied(self: LateApplication, environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        asked.append(environ["PATH_INFO"])
        return call(self, environ, start)

    monkeypatch.setattr(LateApplication, "__call__", spied)
    return asked


def compare(api: Api, by_falcon: list[str], monkeypatch: pytest.MonkeyPatch, *asked: bytes) -> None:
    """Ask in both ways; fails also where it was one way."""
    by_falcon.clear()
    direct = answers(api, list(asked))
    assert by_falcon == []
    with monkeypatch.context() as patch:
        patch.setattr(DirectAnswers, "read", lambda *_: None)
        there = answers(api, list(asked))
    assert len(by_falcon) == len(asked)
    assert direct == there


class Noon:
    """A clock that stands."""

    def monotonic(self) -> float:
        return 60.0


def as_it_is(_runtime: FakeRuntime) -> None:
    """Leave it."""


def starting(runtime: FakeRuntime) -> None:
    runtime.change("db", State.STARTING, waiting_for=("disk \udce4 \u00fc",), message="\udcff")


def stopping(runtime: FakeRuntime) -> None:
    runtime.set_phase(Phase.STOPPING)


def broken(runtime: FakeRuntime) -> None:
    runtime.change("db", State.STARTING)
    runtime.gpu = fail  # type: ignore[method-assign]


def fail() -> Gpu:
    raise RuntimeError("expected by this test")


@pytest.mark.parametrize("state", [as_it_is, starting, stopping, broken])
def test_both_ways_answer_the_same_bytes(
    api: Api,
    runtime: FakeRuntime,
    by_falcon: list[str],
    monkeypatch: pytest.MonkeyPatch,
    state: Callable[[FakeRuntime], None],
) -> None:
    state(runtime)
    targets = [f"/readyz{query}" for query in (*PLAIN, *REFUSED)]
    monkeypatch.setattr(status, "time", Noon())
    monkeypatch.setattr(status, "moment", lambda: NOON + 60)
    targets += ["/status", "/status?x=1", "/telemetry", "/ports", "/ports?wait=0", "/ports?x=1"]
    targets += ["/secrets", "/secrets?x=1"]
    targets += ["http://127.0.0.1/readyz?wait=0"]
    every = itertools.product(targets, ("GET", "HEAD"))
    compare(api, by_falcon, monkeypatch, *(request(t, method=m) for t, m in every))


@pytest.mark.parametrize("target", ["/readyz", "/readyz?wait=0", "/ports", "/readyz?wait=x"])
def test_both_ways_keep_the_connection_as_long_as_it_is_wanted(
    api: Api, by_falcon: list[str], monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    every = itertools.product(ENDS, WISHES)
    compare(api, by_falcon, monkeypatch, *(request(target, end, wish) for end, wish in every))


ENDING = (
    request("/shutdown", method="POST"),
    request("/shutdown"),
    request("/shutdown", "HTTP/1.0", "User-Agent: a\xe4 shell \r\n", method="POST"),
    request(
        "/shutdown", wish="Content-Length: 2\r\nUser-Agent: a\r\nUser-Agent: b\r\n", method="POST"
    )
    + b"{}",
    request("/shutdown?why=1", method="POST"),
)


def test_the_end_is_asked_for_in_both_ways_alike(
    api: Api, runtime: FakeRuntime, by_falcon: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    compare(api, by_falcon, monkeypatch, *ENDING)
    assert len(runtime.shutdowns) == 2 * 4
    told = [(what, agent, bool(port)) for what, agent, port in runtime.asked]
    assert told[:4] == told[4:]
    assert told[:2] == [("POST /shutdown", "", True), ("GET /shutdown", "", True)]


def test_only_looking_never_ends(api: Api, runtime: FakeRuntime) -> None:
    assert api.ask("HEAD", "/shutdown").status == 405
    assert api.post("/shutdown", token=None).status == 401
    assert api.post("/shutdown", Host="example.org").status == 403
    assert (runtime.shutdowns, runtime.asked) == ([], [])


@pytest.mark.parametrize("query", ODD)
def test_what_needs_decoding_is_read_by_falcon(api: Api, by_falcon: list[str], query: str) -> None:
    answers(api, [request(f"/readyz{query}")])
    assert by_falcon == (["/readyz"] if query != "?" else [])


def test_other_methods_are_answered_by_falcon(api: Api, by_falcon: list[str]) -> None:
    assert api.post("/readyz").refusal == (405, "method_not_allowed")
    assert api.ask("OPTIONS", "/ports").headers["Allow"]
    assert by_falcon == ["/readyz", "/ports"]


def test_refusals_at_the_door_need_no_application(api: Api, by_falcon: list[str]) -> None:
    assert api.get("/readyz", token=None).status == 401
    assert api.get("/readyz?wait=1", token="wrong").status == 401
    assert api.get("/status", token=None).status == 401
    assert api.get("/readyz", Host="example.org").status == 403
    assert api.get("/ports", Origin="http://example.org").status == 403
    assert by_falcon == []


@pytest.mark.parametrize("path", ["/readyz", "/ports", "/healthz"])
def test_every_snapshot_is_answered_anew(api: Api, runtime: FakeRuntime, path: str) -> None:
    before = api.get(path).body
    assert api.get(path).body == before
    runtime.change("db", State.UNHEALTHY, ports={"sql": 47999})
    assert api.get(path).body != before


def test_what_becomes_known_of_the_gpu_is_answered(api: Api, runtime: FakeRuntime) -> None:
    assert "name" not in api.get("/readyz").json()["gpu"]
    known = msgspec.structs.replace(runtime.gpu(), name="A GPU")
    runtime.gpu = lambda: known  # type: ignore[method-assign]
    assert api.get("/readyz").json()["gpu"]["name"] == "A GPU"
