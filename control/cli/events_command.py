"""``bundlevisor events``: what happened, as lines or JSON, and what happens from now on.

It follows by asking for the next page with ``?wait=``: each request names the event that was seen
last, so that a connection that breaks costs nothing.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from bundlevisor.actors.files import json_text
from bundlevisor.actors.telemetry.event_file import events_after
from bundlevisor.control.cli import json_output
from bundlevisor.control.cli.client import Client, NoAnswer
from bundlevisor.control.cli.complaint import complain
from bundlevisor.control.cli.find import NotRunning
from bundlevisor.control.cli.last_words import is_gone
from bundlevisor.control.cli.queries import accepted, check_service
from bundlevisor.control.cli.screen.colours import paint_stdout
from bundlevisor.control.cli.screen.event_lines import line
from bundlevisor.control.wire import exit_codes
from bundlevisor.control.wire.bounds import EVENTS_A_PAGE, LATEST, USUAL_LINES

if TYPE_CHECKING:
    import argparse

    Page = dict[str, Any]

WAIT_S = 30.0
"""Seconds that one request waits for an event."""
AGAIN_S = 0.2
"""Seconds between two attempts while the instance does not answer, or answers before its time."""
PATIENCE_S = 30.0
"""Seconds without any answer after which a living instance is given up."""


def show_events(client: Client, arguments: argparse.Namespace) -> int:
    """Print events; with ``-f`` until Ctrl-C or the end of the instance, both of which are 0."""
    if arguments.service is not None:
        check_service(client, arguments.service)
    show = _Shown(arguments)
    try:
        file = accepted(client.get("/telemetry"))["path"] if arguments.follow else ""
        seen = _earlier(client, arguments, show)
        if arguments.follow:
            for page in _later(client, seen):
                show(page["events"], page)
                seen = page["next"]
            show(_last(file, seen))
            complain(client.farewell(), exit_codes.OK)
    except KeyboardInterrupt:
        if not arguments.follow:
            raise
    return exit_codes.OK


def _last(file: str, after: int) -> list[Any]:
    """Return what an instance that answers no more has still written into its file of events."""
    events: list[Any] = []
    with suppress(OSError):
        for event in events_after(file, after):
            if event.event == "runtime_start":  # the next instance's
                break
            events.append(msgspec.to_builtins(event))
    return events


class _Shown:
    """Prints events of the service that was asked for."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._service = arguments.service
        self._json = arguments.json
        self._paint = paint_stdout()

    def wanted(self, event: Any) -> bool:
        return self._service is None or event.get("service_id") == self._service

    def __call__(self, events: list[Any], page: Page | None = None) -> None:
        if page is not None and page["missed"]:
            print(f"bundlevisor: {page['missed']} events are no longer kept", file=sys.stderr)
        for event in filter(self.wanted, events):
            if self._json:
                json_output.put(json_text.encode(event))
            else:
                print(json_text.readable(line(event, self._paint)))
        sys.stdout.flush()


def _earlier(client: Client, arguments: argparse.Namespace, show: _Shown) -> int:
    """Print what has happened already; returns the number of the event that was seen last."""
    after, lines = arguments.after, arguments.lines
    if after == LATEST:
        return _newest(client)
    if after is not None and lines is None:
        for page in _pages(client, int(after)):
            show(page["events"], page)
            after = page["next"]
        return int(after)
    last: deque[Any] = deque(maxlen=USUAL_LINES if lines is None else lines)
    begin = int(after or 0)
    if arguments.service is None:
        begin = max(begin, _newest(client) - (last.maxlen or 0))
    for page in _pages(client, begin):
        last.extend(filter(show.wanted, page["events"]))
        begin = page["next"]
    show(list(last))
    return begin


def newest_events(client: Client, count: int) -> list[Any]:
    """Return the newest events, the oldest of them first."""
    begin = max(0, _newest(client) - count)
    return [event for page in _pages(client, begin) for event in page["events"]]


def _newest(client: Client) -> int:
    return int(accepted(client.get("/events", after=LATEST))["next"])


def _pages(client: Client, after: int) -> Iterator[Page]:
    while True:
        page = accepted(client.get("/events", after=after, limit=EVENTS_A_PAGE))
        yield page
        if len(page["events"]) < EVENTS_A_PAGE:
            return
        after = page["next"]


def _later(client: Client, after: int) -> Iterator[Page]:
    """Yield pages as events come, until the instance has ended."""
    heard = time.monotonic()
    while True:
        asked = time.monotonic()
        try:
            page = accepted(client.get("/events", after=after, wait=WAIT_S))
        except NotRunning:
            return
        except NoAnswer:
            if is_gone(client.endpoint.pid):
                return
            if time.monotonic() - heard > PATIENCE_S + WAIT_S:
                raise
            time.sleep(AGAIN_S)
            continue
        heard = time.monotonic()
        after = page["next"]
        if page["events"]:
            yield page
        elif heard - asked < WAIT_S / 2:  # it is stopping, and keeps nobody waiting
            time.sleep(AGAIN_S)
