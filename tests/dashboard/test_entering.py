"""Getting in by a code: once, soon, from the own page, by the user who asked for it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from bundlevisor.control.dashboard.codes import LIFE_S, OUTSTANDING, Codes
from bundlevisor.control.dashboard.guests import Guests
from bundlevisor.control.dashboard.sessions import IDLE_S, MOST, Sessions
from bundlevisor.control.http import entrance
from tests.control.fake_runtime import FakeRuntime
from tests.control.wire import Api
from tests.dashboard.browser_like import Visitor


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def visitor(api: Api) -> Visitor:
    return Visitor(api)


def test_a_code_becomes_a_cookie_that_scripts_cannot_read(visitor: Visitor) -> None:
    reply = visitor.try_code(visitor.code())
    assert reply.status == 200
    name, _, rest = reply.headers["Set-Cookie"].partition("=")
    assert name == f"bundlevisor_{visitor.api.port}"
    value, *attributes = rest.split("; ")
    assert sorted(attributes) == ["HttpOnly", "Path=/", "SameSite=Strict"]
    assert len(bytes.fromhex(value)) == len(bytes.fromhex(reply.json()["key"])) == 32
    assert visitor.enter().ask("GET", "/status").status == 200


def test_a_code_is_for_who_has_the_token_and_is_told(visitor: Visitor, api: Api) -> None:
    assert api.post("/ui/codes", token=None).refusal == (401, "unauthorized")
    visitor.enter()
    assert visitor.ask("POST", "/ui/codes").refusal == (401, "unauthorized")
    reply = api.post("/ui/codes")
    code = reply.json()["code"]
    assert len(bytes.fromhex(code)) >= 16
    assert reply.json() == {"code": code, "path": f"/ui/enter#{code}", "expires_in_s": 60.0}


def test_who_asks_for_a_code_is_told_without_the_code(
    visitor: Visitor, runtime: FakeRuntime
) -> None:
    code = visitor.code()
    assert [request for request, _, _ in runtime.asked] == ["POST /ui/codes"]
    assert code not in str(runtime.asked)


def test_nothing_that_the_browser_is_given_is_the_token(visitor: Visitor) -> None:
    said = [visitor.try_code(visitor.code()), visitor.enter().open("/ui/")]
    said += [visitor.ask("GET", path) for path in ("/ui/main.js", "/status", "/readyz")]
    assert visitor.api.token not in "".join(
        f"{reply.headers}{reply.body.decode()}" for reply in said
    )


@pytest.mark.parametrize("code", ["", "x", "0" * 64, "é", "a" * 5000])
def test_a_code_that_nobody_issued_is_refused(visitor: Visitor, code: str) -> None:
    visitor.code()
    reply = visitor.try_code(code)
    assert reply.refusal == (401, "bad_code")
    assert "Set-Cookie" not in reply.headers


def test_guessing_uses_no_code_up(visitor: Visitor) -> None:
    code = visitor.code()
    for n in range(200):
        assert visitor.try_code(f"{n:064x}").status == 401
    assert visitor.try_code(code).status == 200


def test_a_code_that_comes_again_ends_what_it_has_begun(api: Api) -> None:
    first, second, other = Visitor(api), Visitor(api), Visitor(api).enter()
    code = first.code()
    first.enter(code)
    assert first.ask("GET", "/status").status == 200
    assert second.try_code(code).refusal == (401, "bad_code")
    assert first.ask("GET", "/status").status == 401
    assert other.ask("GET", "/status").status == 200


def test_of_many_who_send_a_code_at_once_one_gets_in_at_most(api: Api) -> None:
    code = Visitor(api).code()
    statuses: list[int] = []
    start = threading.Barrier(8)

    def race() -> None:
        start.wait()
        statuses.append(Visitor(api).try_code(code).status)

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [401] * 7


@pytest.mark.parametrize(
    "origin", [None, "http://127.0.0.1:1", "http://localhost:{port}", "https://127.0.0.1:{port}"]
)
def test_a_code_is_taken_from_the_own_page_only(api: Api, origin: str | None) -> None:
    """Another page, of whatever port, may hold a code of its maker: it can begin no session."""
    visitor = Visitor(api)
    code = visitor.code()
    foreign = origin and origin.format(port=api.port)
    assert visitor.try_code(code, origin=foreign).refusal == (403, "forbidden_origin")
    assert visitor.try_code(code).status == 200, "it was not used up"


def test_no_address_takes_a_code_and_no_get_does(api: Api) -> None:
    visitor = Visitor(api)
    code = visitor.code()
    for method, path in (
        ("GET", f"/ui/sessions?code={code}"),
        ("GET", "/ui/sessions"),
        ("HEAD", "/ui/sessions"),
        ("POST", f"/ui/enter?code={code}"),
    ):
        reply = api.ask(method, path, token=None, Origin=visitor.origin, Bundlevisor_Code=code)
        assert reply.status == 405
    sent = api.ask("POST", f"/ui/sessions?code={code}", token=None, Origin=visitor.origin)
    assert sent.status == 401
    assert visitor.try_code(code).status == 200


def test_a_foreign_host_gets_no_page_and_no_session(api: Api) -> None:
    """Of a name that somebody else resolves to 127.0.0.1."""
    visitor = Visitor(api)
    code = visitor.code()
    evil = f"evil.example:{api.port}"
    for method, path in (("GET", "/ui/enter"), ("GET", "/ui/"), ("POST", "/ui/sessions")):
        reply = api.ask(method, path, token=None, Host=evil, Bundlevisor_Code=code)
        assert reply.refusal == (403, "forbidden_host")
    origin = f"http://{evil}"
    assert visitor.try_code(code, origin=origin, Host=evil).refusal == (403, "forbidden_host")


def test_the_entrance_is_all_that_is_shown_to_a_stranger(api: Api) -> None:
    for path in ("/ui/enter", "/ui/enter.js", "/ui/enter.css"):
        reply = api.get(path, token=None)
        assert reply.status == 200
        assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert api.ask("HEAD", path, token=None).body == b""
    for path in ("/ui", "/ui/"):
        reply = api.get(path, token=None)
        assert (reply.status, reply.headers["Location"]) == (303, "/ui/enter")
    for path in ("/ui/index.html", "/ui/main.js", "/ui/none", "/ui/enter.html", "/ui//enter"):
        assert api.get(path, token=None).status == 401


def test_a_code_lives_for_a_minute() -> None:
    clock = Clock()
    codes = Codes(clock)
    early, late = codes.issue(), codes.issue()
    clock.now += LIFE_S - 1
    assert codes.take(early)
    clock.now += 1
    assert not codes.take(late)


def test_so_many_codes_are_kept() -> None:
    codes = Codes()
    issued = [codes.issue() for _ in range(OUTSTANDING + 3)]
    assert [codes.take(code) for code in issued] == [False] * 3 + [True] * OUTSTANDING


def test_sessions_are_bounded_and_the_idle_one_goes() -> None:
    clock = Clock()
    sessions = Sessions(clock)
    held = []
    for _ in range(MOST):
        held.append(sessions.begin())
        clock.now += 1
    assert sessions.find([held[0].cookie])
    clock.now += 1
    sessions.begin()
    kept = [one for one in held if sessions.find([one.cookie])]
    assert kept == [one for one in held if one is not held[1]]


def test_a_session_that_nobody_uses_ends() -> None:
    clock = Clock()
    sessions = Sessions(clock)
    begun = sessions.begin()
    clock.now += IDLE_S - 1
    assert sessions.find([begun.cookie])
    clock.now += IDLE_S - 1
    assert sessions.find([begun.cookie]), "it was used meanwhile"
    clock.now += IDLE_S
    assert not sessions.find([begun.cookie])


def exchange(guests: Guests, code: str, owner: Callable[[], int | None]) -> int:
    headers = {"HOST": "127.0.0.1:1", "ORIGIN": "http://127.0.0.1:1", "BUNDLEVISOR_CODE": code}
    request: Any = SimpleNamespace(path="/ui/sessions", command="POST", headers=headers)
    return entrance.answer(request, guests, owner).status


@pytest.mark.skipif(os.name == "nt", reason="Windows has no user ids")
def test_another_user_cannot_use_a_code_that_it_has_seen() -> None:
    """A browser is started with the address among its arguments, which others may read."""
    guests = Guests()
    code = guests.codes.issue()
    assert exchange(guests, code, lambda: os.getuid() + 1) == 403
    assert exchange(guests, code, os.getuid) == 200
    assert exchange(guests, code, lambda: os.getuid() + 1) == 403, "and ends nobody's session"
    assert exchange(guests, "0" * 64, lambda: pytest.fail("the system was asked")) == 401
    assert exchange(guests, guests.codes.issue(), lambda: 0) == 200, "a forwarder of the system"
    assert exchange(guests, guests.codes.issue(), lambda: None) == 200, "not told here"
