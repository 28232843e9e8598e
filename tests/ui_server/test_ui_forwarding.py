"""Which headers are passed on to the API, and whom a request names: the rules without a server."""

from __future__ import annotations

import pytest

from bundlevisor.actors.ui_server.http.target import absolute
from bundlevisor.actors.ui_server.http.upgrades import asks_for_websocket
from bundlevisor.actors.ui_server.proxy.forwarding import end_to_end, to_upstream


def test_headers_of_one_connection_are_not_passed_on() -> None:
    headers = [
        ("Connection", "close, X-Private"),
        ("connection", "keep-alive"),
        ("Keep-Alive", "timeout=5"),
        ("X-Private", "1"),
        ("Transfer-Encoding", "chunked"),
        ("TE", "trailers"),
        ("Trailer", "X-Sum"),
        ("Upgrade", "h2c"),
        ("Proxy-Authorization", "Basic x"),
        ("Proxy-Authenticate", "Basic"),
        ("Proxy-Connection", "close"),
        ("X-Kept", "2"),
        ("x-kept", "3"),
    ]
    assert end_to_end(headers) == [("X-Kept", "2"), ("x-kept", "3")]


def test_the_api_learns_who_asked_and_for_which_host() -> None:
    headers = [
        ("Host", "localhost:5"),
        ("X-Forwarded-For", "10.0.0.9"),
        ("X-Forwarded-Host", "lie"),
    ]
    passed = to_upstream(headers, client="127.0.0.1", websocket=False)
    assert passed == [
        ("Host", "localhost:5"),
        ("X-Forwarded-For", "10.0.0.9, 127.0.0.1"),
        ("X-Forwarded-Host", "localhost:5"),
        ("X-Forwarded-Proto", "http"),
    ]


def test_the_length_of_a_content_stays_with_it_whatever_a_client_says() -> None:
    headers = [("Connection", "Content-Length,X-Own"), ("Content-Length", "3"), ("X-Own", "1")]
    assert end_to_end(headers) == [("Content-Length", "3")]


def test_a_request_keeps_its_host_whatever_a_client_says() -> None:
    assert end_to_end([("Connection", "Host"), ("Host", "a")]) == [("Host", "a")]


def test_what_the_runtime_says_of_a_request_replaces_what_the_client_said_of_it() -> None:
    said = [
        ("X-Forwarded-For", "a"),
        ("x-forwarded-for", "b"),
        ("X-Forwarded-Proto", "https"),
        ("Expect", "100-continue"),
        ("Origin", "http://localhost:5"),
    ]
    passed = to_upstream(said, client="::1", websocket=True)
    assert passed == [
        ("Origin", "http://localhost:5"),
        ("X-Forwarded-For", "a, b, ::1"),
        ("X-Forwarded-Proto", "http"),
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
    ]


@pytest.mark.parametrize(
    ("method", "headers", "asked"),
    [
        ("GET", [("Connection", "Upgrade"), ("Upgrade", "websocket")], True),
        ("GET", [("Connection", "keep-alive, upgrade"), ("Upgrade", "WebSocket")], True),
        ("POST", [("Connection", "Upgrade"), ("Upgrade", "websocket")], False),
        ("GET", [("Connection", "Upgrade"), ("Upgrade", "h2c")], False),
        ("GET", [("Connection", "keep-alive,Upgrade"), ("Upgrade", "h2c,WebSocket")], True),
        ("GET", [("Connection", "Upgrade")], False),
        ("GET", [("Upgrade", "websocket")], False),
        ("GET", [("Connection", "close"), ("Upgrade", "websocket")], False),
    ],
)
def test_only_websockets_are_upgraded(
    method: str, headers: list[tuple[str, str]], asked: bool
) -> None:
    assert asks_for_websocket(method, headers) is asked


@pytest.mark.parametrize(
    ("target", "named"),
    [
        ("/notes?x=1", None),
        ("*", None),
        ("127.0.0.1:5", None),
        ("https://127.0.0.1/", None),
        ("http:/127.0.0.1/", None),
        ("/http://127.0.0.1/", None),
        ("http://127.0.0.1:5/notes?x=/1", ("127.0.0.1:5", "/notes?x=/1")),
        ("HTTP://localhost/a/b", ("localhost", "/a/b")),
        ("http://localhost", ("localhost", "/")),
        ("http://BOX/a", ("BOX", "/a")),
        ("http://localhost?a=/b", ("localhost", "/?a=/b")),
        ("http://a@localhost/", ("a@localhost", "/")),
        ("http://", ("", "/")),
        ("http:///x", ("", "/x")),
    ],
)
def test_a_target_may_name_its_host(target: str, named: tuple[str, str] | None) -> None:
    assert absolute(target) == named
