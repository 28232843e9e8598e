"""``GET /events``: the telemetry events, by the page or as a stream (Server-Sent Events)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from bundlevisor.actors.core.snapshot import Phase
from bundlevisor.actors.files import json_text
from bundlevisor.control.api.progress_watch import ProgressWatch
from bundlevisor.control.wire.bodies import EventPage
from bundlevisor.control.wire.bounds import EVENTS_A_PAGE, LATEST
from bundlevisor.control.wire.errors import Refusal
from bundlevisor.control.wire.json_body import send
from bundlevisor.control.wire.lanes import EVENT_STREAM, require_room, wants_stream
from bundlevisor.control.wire.long_poll import wait_for, wait_seconds
from bundlevisor.control.wire.parameters import (
    AFTER,
    HIGHEST_SEQ,
    LIMIT,
    WAIT,
    whole_number,
)
from bundlevisor.control.wire.streams import Stream, is_over

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    import falcon

    from bundlevisor.actors.telemetry.event import Event
    from bundlevisor.control.wire.closing import Closing
    from bundlevisor.control.wire.facade import RuntimeApi

SLICE_S = 0.25
"""How soon a silent stream notices that its client has gone away."""
LAST_SLICE_S = 0.02
"""The same while the bundle stops: an open stream must not keep the process from ending."""
HEARTBEAT_S = 15.0
"""A comment this often keeps a silent stream alive (WHATWG HTML, 9.2.7, advises it)."""


class EventsResource:
    """Events by sequence number, so that a client that was away misses none."""

    def __init__(self, runtime: RuntimeApi, closing: Closing) -> None:
        self._runtime = runtime
        self._closing = closing

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer a page; a stream for ``Accept: text/event-stream``."""
        after = self._after(req)
        if not wants_stream(req.accept):
            self._page(req, resp, after)
            return
        for parameter in (LIMIT, WAIT):
            if req.get_param(parameter.name) is not None:
                sentence = f"{parameter.name} is for a page of events; a stream has no end"
                raise Refusal(400, f"bad_{parameter.name}", sentence)
        require_room(req)
        resp.content_type = EVENT_STREAM
        if req.method != "HEAD":
            after = self._runtime.events.resumed(_resumed(req, after))
            resp.stream = Stream(self._chunks(req, after), lambda: None)

    def _after(self, req: falcon.Request) -> int:
        if req.get_param(AFTER.name) == LATEST:
            return self._runtime.events.last_seq
        return whole_number(req, AFTER)

    def _page(self, req: falcon.Request, resp: falcon.Response, after: int) -> None:
        limit = whole_number(req, LIMIT)
        seconds = wait_seconds(req)
        events = self._runtime.events
        if seconds is not None:
            wait_for(lambda left: events.wait(after, left), bool, seconds, req, self._closing)
        send(resp, page(events.page(after, limit), after))

    def _chunks(self, req: falcon.Request, after: int) -> Generator[bytes, None, None]:
        yield b"retry: 1000\n\n"
        spoken = time.monotonic()
        snapshot = self._runtime.board.snapshot
        ready = self._runtime.progress(snapshot) if snapshot.ready else None
        progress = ProgressWatch(self._runtime, shown=ready)
        while not is_over(req, self._closing):
            found = self._found(after)
            if found:
                yield b"".join(frames(found, after))
                after = found[-1].seq
                spoken = time.monotonic()
            if news := progress.news(self._runtime.board.snapshot):
                yield b"event: progress\ndata: %s\n\n" % json_text.encode(news)
                spoken = time.monotonic()
            if time.monotonic() - spoken >= HEARTBEAT_S:
                yield b":\n\n"
                spoken = time.monotonic()

    def _found(self, after: int) -> Sequence[Event]:
        running = self._runtime.board.snapshot.phase is Phase.RUNNING
        patience = SLICE_S if running else LAST_SLICE_S
        if not self._runtime.events.wait(after, patience):
            return ()
        found = self._runtime.events.page(after, EVENTS_A_PAGE)
        if not found:  # the file was taken away: do not ask for it again and again
            self._closing.wait(patience)
        return found


def _resumed(req: falcon.Request, after: int) -> int:
    """Return the number that was seen last.

    Who connects again asks for what it began with, ``after=latest`` perhaps, and says in a header
    how far it has come (WHATWG HTML, 9.2.3).
    """
    seen = req.get_header("Last-Event-ID") or ""
    is_number = seen.isascii() and seen.isdigit() and len(seen) <= len(str(HIGHEST_SEQ))
    return int(seen) if is_number else after


def page(events: Sequence[Event], after: int) -> EventPage:
    """Return events as a page."""
    return EventPage(
        events=tuple(msgspec.Raw(json_text.encode(event)) for event in events),
        next=events[-1].seq if events else after,
        missed=missed(events, after),
    )


def missed(events: Sequence[Event], after: int) -> int:
    """Return how many events after ``after`` are no longer kept (or were dropped)."""
    return events[0].seq - after - 1 if events and after else 0


def frames(events: Sequence[Event], after: int) -> Generator[bytes, None, None]:
    """Yield events as Server-Sent Events; before them a ``missed`` one when some are lost."""
    if lost := missed(events, after):
        yield b'event: missed\ndata: {"count":%d}\n\n' % lost
    for event in events:
        name, data = event.event.encode(), json_text.encode(event)
        yield b"id: %d\nevent: %s\ndata: %s\n\n" % (event.seq, name, data)
