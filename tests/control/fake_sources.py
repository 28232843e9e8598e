"""Logs and events in memory: what a fake runtime's readers are given, line by line."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from typing import Any

from bundlevisor.actors.logs.timed_lines import Line
from bundlevisor.actors.telemetry.event import Event

NOON = 1_700_000_000.125


class FakeSubscription:
    def __init__(self, first: bytes) -> None:
        self.queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self.closed = threading.Event()
        self.waiting = b""
        """What nobody has read when it is ended."""
        if first:
            self.queue.put(first)

    def read(self, timeout: float) -> bytes | None:
        try:
            return self.queue.get(timeout=timeout)
        except queue.Empty:
            return b""

    def end(self) -> None:
        self.queue.put(self.waiting)
        self.queue.put(None)

    def close(self) -> None:
        self.closed.set()
        self.queue.put(None)


class FakeLines:
    def __init__(self, lines: list[Line]) -> None:
        self.queue: queue.SimpleQueue[list[Line] | None] = queue.SimpleQueue()
        self.queue.put(lines)
        self.has_begun = False

    def read(self, timeout: float) -> list[Line] | None:
        self.has_begun = True
        try:
            return self.queue.get(timeout=timeout) if timeout else self.queue.get_nowait()
        except queue.Empty:
            return []

    def close(self) -> None:
        self.queue.put(None)


class FakeLogs:
    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}
        self.asked: list[tuple[str, int]] = []
        self.subscriptions: list[FakeSubscription] = []
        self.line_readers: list[FakeLines] = []

    def tail(self, service_id: str, lines: int) -> bytes:
        self.asked.append((service_id, lines))
        return b"".join(self.content.get(service_id, b"").splitlines(keepends=True)[-lines:])

    def follow(self, service_id: str, lines: int) -> FakeSubscription:
        subscription = FakeSubscription(self.tail(service_id, lines) if lines else b"")
        self.subscriptions.append(subscription)
        return subscription

    def lines(self, service_id: str, lines: int, since: float, readers: int) -> list[Line]:
        del since, readers
        return [Line(NOON, text) for text in self.tail(service_id, lines).splitlines()]

    def previous_lines(self, service_id: str, lines: int, readers: int) -> list[Line]:
        del readers
        return [Line(NOON, text) for text in self.tail(service_id, lines).splitlines()]

    def follow_lines(self, service_id: str, lines: int, since: float) -> FakeLines:
        self.line_readers.append(FakeLines(self.lines(service_id, lines, since, 1)))
        return self.line_readers[-1]


class FakeEvents:
    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.kept: list[Event] = []
        self.waited = False
        """Whether somebody has found nothing new yet, and waits."""

    @property
    def last_seq(self) -> int:
        return self.kept[-1].seq if self.kept else 0

    def emit(self, event: str, service_id: str = "", **details: Any) -> None:
        with self._changed:
            seq = self.kept[-1].seq + 1 if self.kept else 1
            one = Event(ts="t", seq=seq, event=event, service_id=service_id, details=details)
            self.kept.append(one)
            self._changed.notify_all()

    def page(self, after: int, limit: int) -> Sequence[Event]:
        return [event for event in self.kept if event.seq > after][:limit]

    def resumed(self, after: int) -> int:
        return after if after <= self.last_seq else 0

    def wait(self, after: int, timeout: float) -> bool:
        def come() -> bool:
            new = bool(self.kept) and self.kept[-1].seq > after
            self.waited = self.waited or not new
            return new

        with self._changed:
            return self._changed.wait_for(come, timeout)
