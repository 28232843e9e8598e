from __future__ import annotations

import sys
import time

import pytest

from bundlevisor.actors.loop.wall_time import read_http_date
from bundlevisor.actors.ui_server.files.preconditions import (
    Validators,
    Verdict,
    evaluate,
    range_applies,
)
from bundlevisor.actors.ui_server.http.headers import Headers

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
BEFORE = "Sun, 06 Nov 1994 08:49:36 GMT"
AFTER = "Sun, 06 Nov 1994 08:49:38 GMT"
FILE = Validators('"abc"', 784111777)
SEND, NOT_MODIFIED, FAILED = Verdict


def test_last_modified_is_an_http_date() -> None:
    assert FILE.last_modified == DATE


@pytest.mark.parametrize(
    ("headers", "verdict"),
    [
        ({}, SEND),
        ({"If-None-Match": '"abc"'}, NOT_MODIFIED),
        ({"if-none-match": 'W/"abc"'}, NOT_MODIFIED),
        ({"If-None-Match": '"x", W/"abc" , "y"'}, NOT_MODIFIED),
        ({"If-None-Match": "*"}, NOT_MODIFIED),
        ({"If-None-Match": '"abcd"'}, SEND),
        ({"If-None-Match": "abc"}, SEND),
        ({"If-Modified-Since": DATE}, NOT_MODIFIED),
        ({"If-Modified-Since": AFTER}, NOT_MODIFIED),
        ({"If-Modified-Since": BEFORE}, SEND),
        ({"If-Modified-Since": "Sunday, 06-Nov-94 08:49:37 GMT"}, NOT_MODIFIED),
        ({"If-Modified-Since": "Sun Nov  6 08:49:37 1994"}, NOT_MODIFIED),
        ({"If-Modified-Since": "yesterday"}, SEND),
        ({"If-Modified-Since": ""}, SEND),
        ({"If-Modified-Since": "Mon, 99 Foo 99999 99:99:99 GMT"}, SEND),
        ({"If-None-Match": '"other"', "If-Modified-Since": AFTER}, SEND),
        ({"If-None-Match": '"abc"', "If-Modified-Since": BEFORE}, NOT_MODIFIED),
        ({"If-Match": '"abc"'}, SEND),
        ({"If-Match": "*"}, SEND),
        ({"If-Match": '"other"'}, FAILED),
        ({"If-Match": 'W/"abc"'}, FAILED),
        ({"If-Unmodified-Since": BEFORE}, FAILED),
        ({"If-Unmodified-Since": DATE}, SEND),
        ({"If-Unmodified-Since": "nonsense"}, SEND),
        ({"If-Match": '"abc"', "If-Unmodified-Since": BEFORE}, SEND),
        ({"If-Match": '"abc"', "If-None-Match": '"abc"'}, NOT_MODIFIED),
        ({"If-Match": '"other"', "If-None-Match": '"abc"'}, FAILED),
    ],
)
def test_preconditions_are_judged_in_the_order_of_the_rfc(
    headers: dict[str, str], verdict: Verdict
) -> None:
    received = Headers()
    for name, value in headers.items():
        received.add(name.encode(), value.encode())
    assert evaluate(received, FILE) is verdict


@pytest.mark.parametrize(
    ("if_range", "now", "applies"),
    [
        (None, 0, True),
        ('"abc"', 0, True),
        ('"other"', 0, False),
        ('W/"abc"', 0, False),
        (DATE, FILE.modified + 1, True),
        (DATE, FILE.modified, False),
        (BEFORE, FILE.modified + 100, False),
        (AFTER, FILE.modified + 100, False),
        ("nonsense", FILE.modified + 100, False),
    ],
)
def test_a_part_is_sent_only_of_exactly_the_same_content(
    if_range: str | None, now: float, applies: bool
) -> None:
    assert range_applies(if_range, FILE, now) is applies


@pytest.mark.skipif(sys.platform == "win32", reason="the zone cannot be set for a process there")
@pytest.mark.parametrize(
    "date",
    [DATE, "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", DATE[:-3] + "-0000"],
)
def test_dates_are_of_utc_wherever_the_machine_stands(
    monkeypatch: pytest.MonkeyPatch, date: str
) -> None:
    with monkeypatch.context() as zone:
        zone.setenv("TZ", "America/New_York")
        time.tzset()
        read = read_http_date(date)
    time.tzset()
    assert read == 784_111_777
