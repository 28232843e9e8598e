"""``GET /logs/lines``: the lines of several services in the order of time, each one JSON."""

from __future__ import annotations

import heapq
import time
from typing import TYPE_CHECKING

from bundlevisor.actors.files import json_text
from bundlevisor.actors.loop.wall_time import timestamp
from bundlevisor.control.api.logs import told_of
from bundlevisor.control.wire.bounds import MOST_LINES
from bundlevisor.control.wire.errors import Refusal
from bundlevisor.control.wire.lanes import require_room
from bundlevisor.control.wire.long_poll import client_has_gone
from bundlevisor.control.wire.operations import NDJSON
from bundlevisor.control.wire.parameters import (
    FOLLOW,
    LINES,
    PREVIOUS,
    SERVICES,
    SINCE,
    known_service,
    whole_number,
    yes_or_no,
)
from bundlevisor.control.wire.streams import Stream, is_over

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

    import falcon

    from bundlevisor.actors.logs.timed_lines import Line
    from bundlevisor.control.wire.closing import Closing
    from bundlevisor.control.wire.facade import LineReader, RuntimeApi

SLICE_S = 0.05
"""How late a line may come, and how soon a silent stream notices that its client has gone away."""
PIECE = 64 * 1024
"""Bytes of a stream that are made before they are sent, some 10 ms."""
FIRST_S = 5.0
"""Seconds that a stream waits for what was before, for which the logs' thread may need a disk."""


class LinesResource:
    """Lines of services, of all of them by default; a stream for ``?follow=1``."""

    def __init__(self, runtime: RuntimeApi, closing: Closing) -> None:
        self._runtime = runtime
        self._closing = closing

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer lines of JSON: ``{"service", "time", "line"}``."""
        services = self._services(req)
        lines = min(whole_number(req, LINES), MOST_LINES // max(1, len(services)))
        back = whole_number(req, SINCE)
        since = time.time() - back if back else 0.0
        previous = yes_or_no(req, PREVIOUS)
        if previous and (back or yes_or_no(req, FOLLOW)):
            sentence = "previous is a run that is over: it takes neither follow nor since"
            raise Refusal(400, "bad_previous", sentence)
        resp.content_type = NDJSON
        if not yes_or_no(req, FOLLOW):
            logs = self._runtime.logs
            share, found = len(services), {}
            for id_ in services:
                with told_of(id_):
                    found[id_] = (
                        logs.previous_lines(id_, lines, share)
                        if previous
                        else logs.lines(id_, lines, since, share)
                    )
            resp.data = b"".join(_merged(found))
            return
        require_room(req)
        if req.method != "HEAD":
            followers = {
                id_: self._runtime.logs.follow_lines(id_, lines, since) for id_ in services
            }
            resp.stream = Stream(self._chunks(req, followers), lambda: _close(followers.values()))

    def _services(self, req: falcon.Request) -> list[str]:
        snapshot = self._runtime.board.snapshot
        named = [id_ for id_ in (req.get_param(SERVICES.name) or "").split(",") if id_]
        if not named:
            return list(snapshot.services)
        return [known_service(snapshot, id_).id for id_ in dict.fromkeys(named)]

    def _chunks(
        self, req: falcon.Request, followers: dict[str, LineReader]
    ) -> Generator[bytes, None, None]:
        yield from _pieces(_merged(self._earlier(req, followers)))
        left = dict(followers)
        while left and not client_has_gone(req):
            last = self._closing.begun  # what has come until then is still told
            found = {}
            for id_, follower in list(left.items()):
                lines = follower.read(0)
                if lines is None:
                    del left[id_]
                elif lines:
                    found[id_] = lines
            if found:
                yield from _pieces(_merged(found))
            elif last:
                return
            else:
                self._closing.wait(SLICE_S)

    def _earlier(
        self, req: falcon.Request, followers: dict[str, LineReader]
    ) -> dict[str, list[Line]]:
        found: dict[str, list[Line]] = {}
        deadline = time.monotonic() + FIRST_S
        for id_, follower in followers.items():
            while not follower.has_begun and not is_over(req, self._closing):
                found[id_] = follower.read(SLICE_S) or []
                if time.monotonic() > deadline:
                    break
        return found


def _merged(found: Mapping[str, Iterable[Line]]) -> Generator[bytes, None, None]:
    """Yield the lines by time; those of one service stay in its order, whatever its clock did."""
    told = [[(line, id_) for line in lines] for id_, lines in found.items()]
    for line, id_ in heapq.merge(*told, key=lambda one: one[0].time):
        text = line.text.removesuffix(b"\r").decode("utf-8", "replace")
        document = {"service": id_, "time": timestamp(line.time), "line": text}
        yield json_text.encode(document) + b"\n"


def _pieces(lines: Iterable[bytes]) -> Generator[bytes, None, None]:
    """Yield what is sent at a time: a moment's work, and not each line."""
    piece = bytearray()
    for line in lines:
        piece += line
        if len(piece) >= PIECE:
            yield bytes(piece)
            piece.clear()
    if piece:
        yield bytes(piece)


def _close(followers: Iterable[LineReader]) -> None:
    for follower in followers:
        follower.close()
