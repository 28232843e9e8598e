"""Which Host and Origin may ask the control API: tables over the pure rule."""

from __future__ import annotations

import pytest

from bundlevisor.control.wire.origin import NOT_LOOPBACK, is_loopback_origin, refusal_of


@pytest.mark.parametrize("authority", ["127.0.0.1", "LocalHost:47710", "localhost.:80", "[::1]:1"])
def test_a_web_origin_of_this_machine_is_ours(authority: str) -> None:
    assert is_loopback_origin(f"http://{authority}")
    assert is_loopback_origin(f"HTTPS://{authority}")


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "localhost",
        "file://",
        "app://localhost",
        "http:localhost",
        "http://localhost/x",
        "http://a.example",
    ],
)
def test_an_origin_is_a_web_origin_or_foreign(origin: str) -> None:
    assert not is_loopback_origin(origin)


@pytest.mark.parametrize(
    ("host", "origin", "refusal"),
    [
        ("127.0.0.1:1", None, None),
        ("127.0.0.1:1", "http://localhost:3000", None),
        ("evil.example", None, ("forbidden_host", NOT_LOOPBACK)),
        ("evil.example", "http://localhost", ("forbidden_host", NOT_LOOPBACK)),
        (
            *("localhost", "https://evil.example"),
            ("forbidden_origin", "the Origin header must name a loopback origin"),
        ),
        (
            *("localhost", ""),
            ("forbidden_origin", "the Origin header must name a loopback origin"),
        ),
    ],
)
def test_the_host_is_looked_at_first(
    host: str, origin: str | None, refusal: tuple[str, str] | None
) -> None:
    assert refusal_of(host, origin) == refusal
