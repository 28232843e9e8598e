"""Moments of the wall clock as text: RFC 3339 for people and programs, RFC 9110 within HTTP."""

from __future__ import annotations

import time
from functools import lru_cache

from bundlevisor.actors.loop.clock import since_boot

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

ROUNDING = 0.001
"""Milliseconds: more than a float of seconds is off (0.0005 at most until 2100)."""


def _ahead() -> float:
    """Return by how much the clock is ahead of that of the boot.

    Who is not scheduled between the two readings would find it to be less: of three, the most is
    right.
    """
    return max(time.time() - since_boot() for _ in range(3))


_BOOTED = _ahead()


def moment() -> float:
    """Return now, in seconds since the epoch by the clock as it was set when this process began.

    Whoever sets the clock changes nothing in it, so that two moments may be compared; it goes on
    while the machine sleeps.
    """
    return since_boot() + _BOOTED


def set_by() -> float:
    """Return by how much the clock has been set since, in tenths of a second: what a moment lacks.

    A machine whose clock has no battery starts in 1970, and its services may, too.
    """
    return round(_ahead() - _BOOTED, 1)


def timestamp(seconds: float) -> str:
    """Write seconds since the epoch as RFC 3339 in UTC, in whole milliseconds that have passed.

    So nothing is written as later than it was, and what was read from such a text is written as the
    same text again.
    """
    whole, milliseconds = divmod(int(seconds * 1000 + ROUNDING), 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{milliseconds:03d}Z"


@lru_cache(maxsize=256)
def http_date(seconds: int) -> str:
    """Write whole seconds since the epoch as RFC 9110, 5.6.7: in English whatever the locale."""
    at = time.gmtime(seconds)
    day, month = _DAYS[at.tm_wday], _MONTHS[at.tm_mon - 1]
    clock = f"{at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02}"
    return f"{day}, {at.tm_mday:02} {month} {at.tm_year:04} {clock} GMT"


def read_http_date(value: str | None) -> int | None:
    """Read a date in any of HTTP's three forms, always of UTC; what cannot be read is no date."""
    if value is None:
        return None
    try:
        import calendar
        from email.utils import parsedate_to_datetime  # 1 MiB for who asks by date alone
    except ImportError:  # the program's files are gone
        return None
    try:
        read = parsedate_to_datetime(value)
        return calendar.timegm(read.utctimetuple())
    except (ValueError, OverflowError):
        return None
