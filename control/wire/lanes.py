"""Which threads answer which request: those that take long never keep the others waiting.

========  =======  ======================================================================
lane      threads  requests
========  =======  ======================================================================
quick     4        what is answered from memory: ``/readyz``, ``/ports``, ``/shutdown`` …
work      8        what asks the supervisor or the operating system
disk      8        what reads logs, events or earlier starts
wait      64       ``?wait=`` and ``/validate``; one more is refused (429)
stream    8        ``/events``, ``/logs/follow``, ``/logs/lines?follow=1``; one more: 429
========  =======  ======================================================================

A full wait or stream lane refuses, which is answered in the quick lane; the others let requests
queue. What needs a thread that the system does not give is refused too (503).
``/healthz``, and what comes without the token, needs no thread at all.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from bundlevisor.control.wire.errors import Refusal
from bundlevisor.control.wire.exchange import REFUSED

if TYPE_CHECKING:
    from bundlevisor.control.wire.exchange import Request


class Lane(enum.Enum):
    """A set of threads."""

    QUICK = "quick"
    WORK = "work"
    DISK = "disk"
    WAIT = "wait"
    STREAM = "stream"


EVENT_STREAM = "text/event-stream"
THREADS = {Lane.QUICK: 4, Lane.WORK: 8, Lane.DISK: 8, Lane.WAIT: 64, Lane.STREAM: 8}
REFUSING = frozenset({Lane.WAIT, Lane.STREAM})
BY_PATH = dict.fromkeys(("/status", "/metrics"), Lane.WORK) | dict.fromkeys(
    ("/logs/tail", "/logs/lines", "/events", "/timeline"), Lane.DISK
)


def lane_of(method: str, path: str, query: str, accept: str) -> Lane:
    """Return the lane for a request; ``path`` is decoded, ``query`` as it came."""
    if path == "/logs/follow" or (path == "/events" and wants_stream(accept)):
        return Lane.STREAM
    if path == "/logs/lines" and "follow" in dict(parse_qsl(query, keep_blank_values=True)):
        return Lane.STREAM
    if path == "/validate" or "wait" in dict(parse_qsl(query, keep_blank_values=True)):
        return Lane.WAIT
    if path.startswith("/services/") or (path == "/secrets" and method == "POST"):
        return Lane.WORK
    return BY_PATH.get(path, Lane.QUICK)


def wants_stream(accept: str) -> bool:
    """Return whether an Accept header asks ``/events`` for a stream, not for a page of JSON."""
    return EVENT_STREAM in accept.lower()


def require_room(req: Request) -> None:
    """Raise Refusal 429 when the request was refused by its lane."""
    refused = req.env.get(REFUSED)
    if refused is Lane.STREAM:
        sentence = f"there are {THREADS[Lane.STREAM]} streams already; close one first"
        raise Refusal(429, "too_many_streams", sentence, headers={"Retry-After": "1"})
    if refused is Lane.WAIT:
        sentence = f"{THREADS[Lane.WAIT]} requests are waiting already; ask again without wait"
        raise Refusal(429, "too_many_waits", sentence, headers={"Retry-After": "1"})
