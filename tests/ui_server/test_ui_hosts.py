"""Which pages may use the API through the proxy: tables over the pure rules."""

from __future__ import annotations

import pytest

from bundlevisor.actors.ui_server.server.hosts import (
    is_allowed_origin,
    may_use_api,
)


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
