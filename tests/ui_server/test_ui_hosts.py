"""Which Host and which Origin are this machine's: tables over the pure rules."""

from __future__ import annotations

import pytest

from bundlevisor.actors.ui_server.server.hosts import (
    is_allowed_origin,
    is_loopback_host,
    may_use_api,
)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LocalHost:80",
        "localhost.:8080",
        "127.0.0.1",
        "127.0.0.1:47001",
        "127.0.0.1:0",
        "127.0.0.1:65535",
        "127.8.9.255:1",
        "127.0.0.001",
        "[::1]",
        "[::1]:47001",
    ],
)
def test_a_loopback_name_or_address_is_this_machine(host: str) -> None:
    assert is_loopback_host(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:47001",
        "localhost.evil.example",
        "evillocalhost",
        "127.0.0.1.evil.example",
        "127.0.0.256",
        "127.1",
        "127.0.0.1.1",
        "127.0.0.",
        "127.0.0.-1",
        "127.0.0.+1",
        "127.0.0.1000000",
        "128.0.0.1",
        "0.0.0.0",
        "10.0.0.1",
        "[::2]",
        "[::1",
        "[::1]evil",
        "[::1]:",
        "[::1]:65536",
        "[]",
        "[localhost]",
        "::1",
        "127.0.0.1:x",
        "127.0.0.1:65536",
        "127.0.0.1:000080",
        "127.0.0.1:",
        "127.0.0.1:٨٠",
        "127.0.0.1:80:80",
        "127.0.0.1, evil.example",
        " localhost",
        "localhost@evil.example",
        "١٢٧.0.0.1",
    ],
)
def test_every_other_host_is_foreign(host: str) -> None:
    assert not is_loopback_host(host)


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://127.0.0.1:47001", True),
        ("http://localhost:3000", True),
        ("https://[::1]:1", True),
        ("app://notes", True),
        ("App://notes", True),
        ("app:notes", False),
        ("app://notes://page", True),
        ("myshell://notes", True),
        ("MyShell://notes", True),
        ("chrome-extension://abcdefghijklmnop", False),
        ("moz-extension://0a1b", False),
        ("file://", False),
        ("https://partner.example", True),
        ("http://partner.example", False),
        ("https://evil.example", False),
        ("HTTP://evil.example", False),
        ("http://localhost.evil.example", False),
        ("null", False),
        ("", False),
        ("evil.example", False),
    ],
)
def test_only_own_pages_and_named_sites_may_use_the_api(origin: str, allowed: bool) -> None:
    assert is_allowed_origin(origin, ("https://partner.example", "myshell://")) is allowed


def test_null_may_be_allowed_by_name() -> None:
    assert is_allowed_origin("null", ("null",))


OWN = "http://127.0.0.1:47001"


@pytest.mark.parametrize(
    ("origins", "sites", "may"),
    [
        ([], [], True),
        ([], ["same-origin"], True),
        ([], ["same-site", "none"], True),
        ([], ["cross-site"], False),
        ([], [" Cross-Site "], False),
        ([], ["same-origin", "cross-site"], False),
        ([OWN], [], True),
        ([OWN], ["cross-site"], True),
        (["https://partner.example"], ["cross-site"], True),
        (["https://evil.example"], ["same-origin"], False),
        ([OWN, "https://evil.example"], [], False),
    ],
)
def test_an_origin_decides_and_without_one_the_site(
    origins: list[str], sites: list[str], may: bool
) -> None:
    assert may_use_api(origins, sites, ("https://partner.example",)) is may


def test_no_foreign_page_may_use_the_api_unless_it_is_named() -> None:
    assert not may_use_api(["https://partner.example"], [])
