"""What a browser that has come in may ask, and what others can make it ask."""

from __future__ import annotations

import pytest

from tests.control.fake_runtime import FakeRuntime
from tests.control.wire import Api
from tests.dashboard.browser_like import Visitor

READ = ["/status", "/readyz", "/timeline", "/events", "/logs/lines", "/validate"]
FOREIGN = {"Origin": "http://127.0.0.1:3000", "Sec_Fetch_Site": "same-site"}
"""Another port of this host: the same site, so that SameSite=Strict lets the cookie go along."""


@pytest.fixture
def visitor(api: Api) -> Visitor:
    return Visitor(api).enter()


@pytest.mark.parametrize("path", READ)
def test_the_page_reads_what_it_shows(visitor: Visitor, path: str) -> None:
    assert visitor.ask("GET", path).status == 200
    assert visitor.ask("GET", path, Bundlevisor_Key=None).status == 401
    assert visitor.ask("GET", path, Bundlevisor_Key="0" * 64).status == 401
    assert visitor.ask("GET", path, Bundlevisor_Key="é").status == 401
    assert visitor.ask("GET", path, Cookie=None).status == 401
    assert visitor.ask("GET", path, Cookie=visitor.cookie[:-1] + "x").status == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/secrets"),
        ("POST", "/secrets"),
        ("POST", "/shutdown"),
        ("GET", "/shutdown"),
        ("GET", "/metrics"),
        ("GET", "/telemetry"),
        ("GET", "/openapi.json"),
        ("GET", "/ports"),
        ("GET", "/logs/tail?serviceId=db"),
        ("GET", "/logs/follow?serviceId=db"),
        ("POST", "/ui/codes"),
        ("POST", "/status"),
        ("GET", "/services/db/stop"),
        ("POST", "/services/db/remove"),
        ("POST", "/services/../shutdown"),
        ("POST", "/services/db/stop/"),
        ("PUT", "/services/db/stop"),
        ("GET", "//status"),
    ],
)
def test_a_cookie_opens_nothing_else(
    visitor: Visitor, runtime: FakeRuntime, method: str, path: str
) -> None:
    assert visitor.ask(method, path, Origin=visitor.origin).refusal == (401, "unauthorized")
    assert (runtime.shutdowns, runtime.commands) == ([], [])


def test_the_buttons_work_from_the_own_page(visitor: Visitor, runtime: FakeRuntime) -> None:
    for action in ("start", "stop", "restart"):
        assert visitor.ask("POST", f"/services/db/{action}").status == 202
    assert runtime.commands == [("db", "start"), ("db", "stop"), ("db", "restart")]
    assert runtime.asked[-1][0] == "POST /services/db/restart", "who asked is told"


@pytest.mark.parametrize(
    "forged",
    [
        FOREIGN,
        FOREIGN | {"Bundlevisor_Key": None},
        {"Origin": None},
        {"Origin": None, "Sec_Fetch_Site": None, "Bundlevisor_Key": None},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "http://localhost:47710"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Bundlevisor_Key": None},
        {"Bundlevisor_Key": ""},
    ],
)
def test_no_other_page_presses_a_button(
    visitor: Visitor, runtime: FakeRuntime, forged: dict[str, str | None]
) -> None:
    assert visitor.ask("POST", "/services/db/stop", **forged).status == 401
    assert runtime.commands == []


def test_a_page_of_another_port_reads_nothing_even_with_the_key(visitor: Visitor) -> None:
    assert visitor.ask("GET", "/status", **FOREIGN).status == 401
    assert visitor.ask("GET", "/status", Sec_Fetch_Site="same-site").status == 401
    allowed = visitor.ask("OPTIONS", "/status", Access_Control_Request_Method="GET", **FOREIGN)
    assert allowed.status == 401
    assert not [name for name in allowed.headers if name.lower().startswith("access-control")]


def test_a_service_that_is_sent_the_cookie_can_do_nothing_with_it(
    visitor: Visitor, runtime: FakeRuntime
) -> None:
    """Browsers send cookies to every port of a host, so every service of the bundle may get it."""
    stolen = visitor.cookie
    thief = Visitor(visitor.api)
    thief.cookie = stolen
    for path in READ:
        assert thief.ask("GET", path).status == 401
    assert thief.ask("POST", "/services/db/stop").status == 401
    assert thief.ask("POST", "/ui/leave").status == 401
    assert runtime.commands == []
    assert visitor.ask("GET", "/status").status == 200


def test_cookies_that_another_port_has_set_beside_do_not_lock_out(visitor: Visitor) -> None:
    name, _, value = visitor.cookie.partition("=")
    both = f"other=1; {name}=planted; {name}={value}; {name}="
    assert visitor.ask("GET", "/status", Cookie=both).status == 200
    assert visitor.ask("GET", "/status", Cookie=f"{name}x={value}").status == 401
    assert visitor.ask("GET", "/status", Cookie=f"x{name}={value}").status == 401


def test_a_planted_session_is_never_taken_over(api: Api) -> None:
    """Session fixation: what a browser had before it entered is no session after it."""
    visitor = Visitor(api)
    planted = f"bundlevisor_{api.port}={'a' * 64}"
    reply = visitor.try_code(visitor.code(), Cookie=planted)
    assert planted not in reply.headers["Set-Cookie"]
    visitor.key = reply.json()["key"]
    visitor.cookie = planted
    assert visitor.ask("GET", "/status").status == 401


def test_the_page_opens_in_a_tab_and_in_no_frame_or_foreign_script(visitor: Visitor) -> None:
    assert visitor.open("/ui/").status == 200
    assert visitor.open("/ui/", Sec_Fetch_Site="same-site").status == 200, "a link to it"
    for destination in ("iframe", "frame", "embed", "object"):
        framed = {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Dest": destination}
        assert visitor.open("/ui/", **framed).status == 303
    script = {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "no-cors", "Bundlevisor_Key": None}
    assert visitor.ask("GET", "/ui/main.js", Sec_Fetch_Dest="script", **script).status == 401
    assert visitor.ask("GET", "/ui/main.js", Bundlevisor_Key=None).status == 200


def test_every_file_comes_with_the_whole_policy(visitor: Visitor) -> None:
    reply = visitor.open("/ui/")
    policy = reply.headers["Content-Security-Policy"].split("; ")
    assert policy[0] == "default-src 'none'"
    assert {"frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} < set(policy)
    assert not [word for word in ("unsafe", "http:", "data:", "*") if word in " ".join(policy)]
    assert reply.headers["X-Frame-Options"] == "DENY"
    assert reply.headers["Referrer-Policy"] == "no-referrer"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert reply.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert reply.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "name",
    ["../files.py", "..%2ffiles.py", "%2e%2e/files.py", "....//files.py", "nothing.js", "%00", "."],
)
def test_a_name_is_no_path(visitor: Visitor, name: str) -> None:
    assert visitor.ask("GET", f"/ui/{name}").status in (400, 401, 404)


def test_leaving_ends_the_session_and_takes_the_cookie_away(visitor: Visitor) -> None:
    assert visitor.ask("POST", "/ui/leave", **FOREIGN).status == 401
    reply = visitor.ask("POST", "/ui/leave")
    assert reply.status == 204
    assert "Max-Age=0" in reply.headers["Set-Cookie"]
    assert visitor.ask("GET", "/status").status == 401
    assert visitor.open("/ui/").status == 303


def test_a_foreign_host_is_refused_before_the_cookie_is_looked_at(visitor: Visitor) -> None:
    evil = f"evil.example:{visitor.api.port}"
    reply = visitor.ask("GET", "/status", Host=evil)
    assert reply.refusal == (403, "forbidden_host")


def test_the_token_still_goes_before_a_cookie(visitor: Visitor) -> None:
    assert visitor.api.get("/secrets", Cookie="bundlevisor_1=x").status == 200
