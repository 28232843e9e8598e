"""Moments as text: what is read again is what was written."""

from __future__ import annotations

import os
import time
from datetime import datetime

from hypothesis import given, strategies as st
from waitress.utilities import build_http_date

from bundlevisor.actors.loop.wall_time import http_date, read_http_date, timestamp

LAST = 253_402_300_799 if os.name != "nt" else 32_535_215_999
"""The last second that has a year of four digits; Windows' gmtime ends with the year 3000."""


@given(st.integers(0, LAST))
def test_a_date_of_http_is_the_one_that_waitress_writes(when: int) -> None:
    assert http_date(when) == build_http_date(when)
    assert time.strptime(http_date(when), "%a, %d %b %Y %H:%M:%S GMT")
    assert read_http_date(http_date(when)) == when


@given(st.integers(0, 4_102_444_800_000))
def test_a_timestamp_that_was_read_is_written_as_it_was(milliseconds: int) -> None:
    written = timestamp(milliseconds / 1000)
    assert timestamp(datetime.fromisoformat(written).timestamp()) == written
    assert round(datetime.fromisoformat(written).timestamp() * 1000) == milliseconds


def test_nothing_is_written_as_later_than_it_was() -> None:
    assert timestamp(0.0006) == "1970-01-01T00:00:00.000Z"
    assert timestamp(59.9996) == "1970-01-01T00:00:59.999Z"
