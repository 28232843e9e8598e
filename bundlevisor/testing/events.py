"""The telemetry events of a run, as they are on disk."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from bundlevisor.manifest.format.app_data import OLDER
from bundlevisor.testing.plain_file import read_plain

Event = dict[str, Any]
SETTLED, SETTLES_WITHIN = 0.05, 2.0
"""Seconds without a new event after which none is on its way to the disk; and at most so many."""


def read_events(path: Path) -> list[Event]:
    """Return the telemetry events that are on disk, oldest first; what is torn is left out."""
    events = []
    for file in (path.with_name(path.name + OLDER), path):
        try:
            text = read_plain(file)
        except OSError:  # there is none, or a suite has put something else there
            continue
        for line in text.splitlines():  # of bytes: a text would be cut at U+2028, too
            try:
                event = json.loads(line.decode(errors="replace"))
            except ValueError:
                continue
            if isinstance(event, dict):
                events.append(event)
    return events


def newest(events: Iterable[Event]) -> int:
    """Return the number of the newest one; 0 without any."""
    return max((event.get("seq", 0) for event in events), default=0)


def settled(read: Callable[[], list[Event]], ready: Mapping[str, int]) -> int:
    """Return the number of the newest event once all that has happened is on disk.

    The API tells of it some milliseconds before, of what is ``ready`` by which pid, too.
    """
    pause, end = threading.Event(), time.monotonic() + SETTLES_WITHIN
    before, found = -1, read()
    while time.monotonic() < end:
        if newest(found) == before and ready.items() <= told_ready(found):
            break
        pause.wait(SETTLED)
        before, found = newest(found), read()
    return newest(found)


def told_ready(events: Iterable[Event]) -> set[tuple[str, int]]:
    """Return which services were ready, with the pids that they had then."""
    pids: dict[str, int] = {}
    told = set[tuple[str, int]]()
    for event in events:
        service = event.get("service_id", "")
        if event.get("event") == "service_start":
            pids[service] = event.get("details", {}).get("pid", 0)
        elif event.get("event") == "service_ready" and service in pids:
            told.add((service, pids[service]))
    return told


def first(events: Iterable[Event], name: str, service: str | None, after: int) -> Event | None:
    """Return the first event of this name, and of a service, with a number above ``after``."""
    for event in events:
        if event.get("event") != name or event.get("seq", 0) <= after:
            continue
        if service is None or event.get("service_id") == service:
            return event
    return None
