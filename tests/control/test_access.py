from __future__ import annotations

import pytest

from bundlevisor.control.http.door import carries
from tests.control.fake_runtime import FakeRuntime
from tests.control.wire import TOKEN, Api, status_of


@pytest.mark.parametrize("host", ["example.org", "example.org:47710", "10.0.0.1"])
@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/nothing", "/shutdown"])
def test_a_foreign_host_is_403_before_anything_else(api: Api, host: str, path: str) -> None:
    assert api.get(path, Host=host, token=None).refusal == (403, "forbidden_host")
    assert api.get(path, Host=host).refusal == (403, "forbidden_host")
    assert api.post(path, Host=host).refusal == (403, "forbidden_host")


@pytest.mark.parametrize("origin", ["null", "https://example.org", "http://127.0.0.1.evil.org"])
def test_a_foreign_origin_is_403_even_with_the_token(
    api: Api, runtime: FakeRuntime, origin: str
) -> None:
    assert api.get("/healthz", Origin=origin).refusal == (403, "forbidden_origin")
    assert api.post("/shutdown", Origin=origin).refusal == (403, "forbidden_origin")
    assert runtime.shutdowns == []


def test_a_loopback_origin_is_answered_without_cors_headers(api: Api) -> None:
    reply = api.get("/readyz", Origin="http://localhost:3000")
    assert reply.status == 200
    assert not [name for name in reply.headers if name.lower().startswith("access-control")]


def test_a_request_without_a_host_is_403(api: Api) -> None:
    assert status_of(api.raw(b"GET /healthz HTTP/1.0\r\n\r\n")) == 403
    answer = api.raw(b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert status_of(answer) == 403


def test_two_host_headers_are_403(api: Api) -> None:
    twice = b"Host: 127.0.0.1\r\nHost: 127.0.0.1\r\n"
    answer = api.raw(b"GET /healthz HTTP/1.1\r\n" + twice + b"Connection: close\r\n\r\n")
    assert status_of(answer) == 403


@pytest.mark.parametrize(
    ("target", "host", "status"),
    [
        (b"http://127.0.0.1:1/healthz", b"127.0.0.1:1", 200),
        (b"http://evil.org/healthz", b"evil.org", 403),
        (b"http://evil.org/healthz", b"127.0.0.1", 400),
        (b"http://127.0.0.1/healthz", b"evil.org", 403),
        (b"http://[::1/healthz", b"127.0.0.1", 400),
    ],
)
def test_an_absolute_target_must_name_the_same_loopback_host(
    api: Api, target: bytes, host: bytes, status: int
) -> None:
    answer = api.raw(
        b"GET " + target + b" HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n"
    )
    assert status_of(answer) == status


@pytest.mark.parametrize(
    "path",
    [
        "/readyz",
        "/ports",
        "/logs/tail?serviceId=db",
        "/logs/follow?serviceId=db",
        "/secrets",
        "/validate",
        "/status",
        "/telemetry",
        "/events",
        "/metrics",
        "/openapi.json",
        "/nothing",
        "//readyz",
    ],
)
def test_everything_but_healthz_needs_the_token(api: Api, path: str) -> None:
    for keywords in (
        {"token": None},
        {"token": TOKEN + "x"},
        {"token": TOKEN[:-1]},
        {"token": ""},
        {"token": None, "Authorization": f"Basic {TOKEN}"},
        {"token": None, "Authorization": TOKEN},
        {"token": None, "Authorization": "Bearer"},
    ):
        reply = api.get(path, **keywords)
        assert reply.refusal == (401, "unauthorized"), keywords
        assert reply.headers["WWW-Authenticate"] == "Bearer"
        assert api.token.encode() not in reply.body


def test_shutdown_without_the_token_stops_nothing(api: Api, runtime: FakeRuntime) -> None:
    assert api.post("/shutdown", token="wrong").status == 401
    assert runtime.shutdowns == []


def test_a_header_that_is_not_ascii_is_401(api: Api) -> None:
    for value in (b"Bearer \xc3\xa9\xff\xfe", b"\xff", b"B\xe9arer x"):
        answer = api.raw(
            b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
            b"Authorization: " + value + b"\r\n\r\n"
        )
        assert status_of(answer) == 401


def test_the_scheme_may_be_written_in_any_case(api: Api) -> None:
    assert api.get("/readyz", token=None, Authorization=f"bearer {TOKEN}").status == 200
    assert api.get("/readyz", token=None, Authorization=f"BEARER   {TOKEN}").status == 200


def test_the_token_is_compared_as_bytes() -> None:
    assert carries("Bearer töken", "töken".encode())
    assert not carries("Bearer t\udcffken", b"token")


def test_the_token_is_never_taken_from_the_address(api: Api) -> None:
    assert api.get(f"/readyz?token={TOKEN}&access_token={TOKEN}", token=None).status == 401
