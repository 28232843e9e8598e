"""What a service tells by a datagram, as sd_notify(3) of systemd defines it. Pure.

READY=1, STOPPING=1, STATUS=, EXTEND_TIMEOUT_USEC=, WATCHDOG=1 and =trigger, and WATCHDOG_USEC= mean
something here; all others (MAINPID=, FDSTORE=1, RELOADING=1, BARRIER=1, …), and values that are
none, are passed over.
"""

from __future__ import annotations

import msgspec

LONGEST_S = 365 * 86400.0
"""Seconds; longer times are taken as that."""


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """The assignments of one datagram."""

    ready: bool = False
    stopping: bool = False
    status: bytes | None = None
    extend_s: float | None = None
    """For so many seconds from now no time-out is to count."""
    alive: bool = False
    unwell: bool = False
    """As if its watchdog had not been fed."""
    watchdog_s: float | None = None


NOTHING = Notification()


def parse(datagram: bytes) -> Notification:
    """Return what a datagram says; of several assignments of a name the last one counts."""
    values: dict[bytes, bytes] = {}
    for line in datagram.split(b"\n"):
        name, equals, value = line.partition(b"=")
        if equals:
            values[name] = value
    return Notification(
        ready=values.get(b"READY") == b"1",
        stopping=values.get(b"STOPPING") == b"1",
        status=values.get(b"STATUS"),
        extend_s=_seconds(values.get(b"EXTEND_TIMEOUT_USEC")),
        alive=values.get(b"WATCHDOG") == b"1",
        unwell=values.get(b"WATCHDOG") == b"trigger",
        watchdog_s=_seconds(values.get(b"WATCHDOG_USEC")),
    )


def _seconds(microseconds: bytes | None) -> float | None:
    """Return a number of microseconds in seconds; None for none."""
    if not microseconds or len(microseconds) > 20 or not microseconds.isdigit():
        return None
    return min(int(microseconds) / 1e6, LONGEST_S)
