"""What of a session a request must carry: the rule as a table, without a server."""

from __future__ import annotations

import pytest

from bundlevisor.control.dashboard.rights import READ, is_own_origin, wanted

HOST = {"HOST": "127.0.0.1:47710"}
OWN = {"ORIGIN": "http://127.0.0.1:47710"}
OTHER_PORT = {"ORIGIN": "http://127.0.0.1:3000"}
NAVIGATED = {"SEC_FETCH_MODE": "navigate", "SEC_FETCH_DEST": "document"}
SAME_SITE = {"SEC_FETCH_SITE": "same-site"}
SAME_ORIGIN = {"SEC_FETCH_SITE": "same-origin"}

COMMANDS = [f"/services/db/{action}" for action in ("start", "stop", "restart")]


def test_what_the_page_reads_is_named() -> None:
    named = {"/status", "/readyz", "/timeline", "/events", "/logs/lines", "/validate"}
    assert named == READ


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", sorted(READ))
def test_the_page_reads_with_both_halves(method: str, path: str) -> None:
    assert wanted(method, path, HOST) == "both"
    assert wanted(method, path, HOST | OWN) == "both"
    assert wanted(method, path, HOST | SAME_ORIGIN) == "both"
    assert wanted(method, path, HOST | OTHER_PORT) is None
    assert wanted(method, path, HOST | SAME_SITE) is None
    assert wanted(method, path, HOST | OWN | SAME_SITE) is None
    assert wanted(method, path, HOST | OTHER_PORT | SAME_ORIGIN) is None
    assert wanted(method, path, HOST | SAME_SITE | NAVIGATED) is None


@pytest.mark.parametrize("path", [*COMMANDS, "/ui/leave"])
def test_a_button_wants_both_halves_and_the_own_origin(path: str) -> None:
    assert wanted("POST", path, HOST | OWN) == "both"
    assert wanted("POST", path, HOST | OWN | SAME_ORIGIN) == "both"
    assert wanted("POST", path, HOST) is None
    assert wanted("POST", path, HOST | SAME_ORIGIN) is None
    assert wanted("POST", path, HOST | OTHER_PORT) is None
    assert wanted("POST", path, HOST | OWN | SAME_SITE) is None


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/ui/", "/ui/main.js"])
def test_a_file_wants_the_cookie_and_a_tab_or_the_own_page(method: str, path: str) -> None:
    assert wanted(method, path, HOST) == "cookie"
    assert wanted(method, path, HOST | OWN | SAME_ORIGIN) == "cookie"
    assert wanted(method, path, HOST | SAME_SITE | NAVIGATED) == "cookie"
    assert wanted(method, path, HOST | SAME_SITE) is None
    assert wanted(method, path, HOST | OTHER_PORT) is None
    assert wanted(method, path, HOST | OTHER_PORT | NAVIGATED) is None
    assert wanted(method, path, HOST | OWN | SAME_SITE | NAVIGATED) is None


@pytest.mark.parametrize(
    "said",
    [
        {"SEC_FETCH_MODE": "navigate", "SEC_FETCH_DEST": "iframe"},
        {"SEC_FETCH_MODE": "no-cors", "SEC_FETCH_DEST": "document"},
        {"SEC_FETCH_MODE": "navigate"},
        {"SEC_FETCH_DEST": "document"},
    ],
)
def test_what_opens_it_and_is_no_tab_gets_no_file(said: dict[str, str]) -> None:
    assert wanted("GET", "/ui/", HOST | SAME_SITE | said) is None


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *[("POST", path) for path in sorted(READ)],
        *[("GET", path) for path in COMMANDS],
        ("GET", "/secrets"),
        ("GET", "/metrics"),
        ("GET", "/telemetry"),
        ("GET", "/status/"),
        ("GET", "//status"),
        ("GET", "/ui"),
        ("GET", "/uix/main.js"),
        ("POST", "/ui/"),
        ("POST", "/ui/main.js"),
        ("POST", "/ui/codes"),
        ("PUT", "/ui/leave"),
        ("PUT", "/services/db/stop"),
        ("POST", "/shutdown"),
        ("POST", "/services/db/remove"),
        ("POST", "/services/db/stop/"),
        ("POST", "/services//stop"),
        ("POST", "/services/a/b/stop"),
        ("POST", "/x/services/db/stop"),
        ("get", "/status"),
    ],
)
def test_nothing_else_is_open_with_any_session(method: str, path: str) -> None:
    assert wanted(method, path, HOST | OWN | SAME_ORIGIN | NAVIGATED) is None
    assert wanted(method, path, HOST | SAME_ORIGIN | NAVIGATED) is None


@pytest.mark.parametrize(
    ("headers", "own"),
    [
        (HOST | OWN, True),
        ({"HOST": "LocalHost:5", "ORIGIN": "HTTP://LOCALHOST:5"}, True),
        (HOST | OTHER_PORT, False),
        (HOST | {"ORIGIN": "https://127.0.0.1:47710"}, False),
        (HOST | {"ORIGIN": "http://127.0.0.1"}, False),
        (HOST | {"ORIGIN": "null"}, False),
        (HOST, False),
        (OWN, False),
        ({}, False),
        ({"ORIGIN": "http://"}, False),
        ({"ORIGIN": "http://", "HOST": ""}, False),
    ],
)
def test_the_own_origin_is_the_one_that_was_sent_to(headers: dict[str, str], own: bool) -> None:
    assert is_own_origin(headers) is own
