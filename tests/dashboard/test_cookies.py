"""The dashboard's cookie, told without a browser."""

from __future__ import annotations

import pytest

from bundlevisor.control.dashboard.cookies import MOST, ended, made, name, values

HOST = "127.0.0.1:47710"
OURS = "bundlevisor_47710"


@pytest.mark.parametrize(
    ("host", "named"),
    [
        (HOST, OURS),
        ("localhost:5", "bundlevisor_5"),
        ("[::1]:5", "bundlevisor_5"),
        ("localhost", "bundlevisor_80"),
        ("localhost:", "bundlevisor_80"),
        ("[::1]", "bundlevisor_80"),
        ("localhost:٨", "bundlevisor_80"),
    ],
)
def test_a_cookie_is_named_after_the_port(host: str, named: str) -> None:
    assert name(host) == named


def test_no_script_and_no_other_site_has_the_cookie() -> None:
    attributes = "Path=/; HttpOnly; SameSite=Strict"
    assert made(HOST, "secret") == f"{OURS}=secret; {attributes}"
    assert ended(HOST) == f"{OURS}=; {attributes}; Max-Age=0"


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("", []),
        (f"{OURS}=a", ["a"]),
        (f"x=1; {OURS}=a;{OURS}=b=c ; y", ["a", "b=c"]),
        (f"{OURS}=; {OURS}=a", ["a"]),
        (f"{OURS}=\xe9; {OURS}=\x00; {OURS}=a", ["a"]),
        (f"{OURS}", []),
        (f"{OURS}x=a; x{OURS}=a; {OURS.upper()}=a; bundlevisor_1=a", []),
    ],
)
def test_what_is_under_our_name_and_may_be_ours_is_looked_at(header: str, found: list[str]) -> None:
    assert values(HOST, header) == found


def test_so_many_of_our_name_are_looked_at_and_not_one_more() -> None:
    planted = [str(number) for number in range(MOST + 1)]
    assert values(HOST, "; ".join(f"{OURS}={value}" for value in planted)) == planted[:MOST]
