"""The telemetry of the runtime: events in order, one line of JSON each, one thread that writes."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice

from bundlevisor.actors.files.rotating_file import LogFile
from bundlevisor.actors.loop.wall_time import timestamp
from bundlevisor.actors.telemetry import event as line
from bundlevisor.actors.telemetry.event import Event
from bundlevisor.actors.telemetry.event_file import events_after, last_seq
from bundlevisor.manifest.format.app_data import TELEMETRY

__all__ = ["Event", "Telemetry", "append"]

LIMIT = 10 * 1024 * 1024
"""Bytes of the file, after which it becomes ``<file>.1``; an older one of that name goes."""
RECENT = 1000
"""Events kept in memory for readers."""
BREATH = 0.002
"""Seconds between two bursts of writing: events come in bursts, and each waking of the writer costs
those who start services more than its work. What waits is lost with a runtime that is killed."""
WAITING = 10_000
"""Events that may wait for a disk that hangs; then the oldest are dropped and counted."""

Entry = tuple[float, str, str, bytes]
"""When (seconds since the epoch), event, service id, details as JSON."""


class Telemetry:
    """Takes events from any thread and hands each to the kernel by one write, in order.

    A disk that fails costs the events that it does not take, counts them, and stops nothing: they
    are still in memory for readers, and ``telemetry_dropped`` says how many are not in the file.
    ``report`` hears a sentence when that begins. Making one is cheap; its thread does all I/O.
    """

    def __init__(
        self,
        path: str,
        report: Callable[[str], None],
        *,
        now: Callable[[], float] = time.time,
        limit: int = LIMIT,
    ) -> None:
        self.path = path
        self.dropped = 0
        """Events that are not in the file and never will be."""
        self.exits: dict[str, dict[str, int]] = {}
        """How often each service has ended in this run, by what has ended it."""
        self._report = report
        self._now = now
        self._file = LogFile(path, max_bytes=limit, files=len(TELEMETRY), report=report)
        self._entries: queue.SimpleQueue[Entry | None] = queue.SimpleQueue()
        self._recent: deque[tuple[int, bytes]] = deque(maxlen=RECENT)
        self._changed = threading.Condition()
        self._seq = 0
        self._before: int | None = None
        """The number of the last event before this run, once that is known."""
        self._untold = 0
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="telemetry", daemon=True)
        self._thread.start()

    @property
    def last_seq(self) -> int:
        """The number of the newest event; 0 before the first."""
        return self._seq

    def resumed(self, after: int) -> int:
        """Return ``after``, or where this run begins if no event has got that far.

        Then it is of events that no file has any more: of a folder that was emptied, or of a disk
        that was full; and numbers have begun anew below it.
        """
        before = self._before
        return after if before is None or after <= self._seq else before

    def emit(self, event: str, service_id: str | None = None, **details: object) -> None:
        """Record that something happened now. Safe from any thread; never blocks, never raises.

        ``details`` are taken as they are now; what JSON does not know becomes a ``str``.
        """
        if event == "service_exit" and service_id:
            counts = self.exits.setdefault(service_id, {})
            by = str(details.get("by"))
            counts[by] = counts.get(by, 0) + 1  # only the service's own actor tells of its exits
        if self._closed.is_set():
            self._drop()
            return
        if self._entries.qsize() >= WAITING:
            self._drop_oldest()
        encoded = line.encode_details(details) if details else b""
        self._entries.put((self._now(), event, service_id or "", encoded))

    def page(self, after: int, limit: int = 1000) -> list[Event]:
        """Return at most ``limit`` events with a number above ``after``, ascending.

        Older ones are read from the file: this may take milliseconds.
        """
        with self._changed:
            recent = [entry for entry in self._recent if entry[0] > after]
            oldest = self._recent[0][0] if self._recent else self._seq + 1
        events: list[Event] = []
        if after + 1 < oldest:
            older = (event for event in self._stored(after) if event.seq < oldest)
            events = list(islice(older, limit))
        found = (line.decode(text) for _, text in recent[: limit - len(events)])
        return events + [event for event in found if event is not None]

    def wait(self, after: int, timeout: float) -> bool:
        """Return whether there is an event after ``after``, waiting for it up to ``timeout`` s."""
        with self._changed:
            self._changed.wait_for(lambda: self._seq > after or self._closed.is_set(), timeout)
            return self._seq > after

    def close(self, timeout: float) -> bool:
        """Write what waits and end the thread; True when that was done in ``timeout`` seconds."""
        self._closed.set()
        self._entries.put(None)
        with self._changed:
            self._changed.notify_all()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _stored(self, after: int) -> Iterator[Event]:
        with suppress(OSError):  # what cannot be read cannot be shown
            yield from events_after(self.path, after)

    def _run(self) -> None:
        try:
            self._seq = last_seq(self.path)
        except OSError as error:
            self._report(f"telemetry file {self.path} cannot be read: {error.strerror}")
        self._before = self._seq
        while (entry := self._entries.get()) is not None:
            self._record(*entry)
            if self._entries.empty():
                self._closed.wait(BREATH)
        if self._untold:
            self._tell_dropped(self._now())
        self._file.close()

    def _drop_oldest(self) -> None:
        with suppress(queue.Empty):
            oldest = self._entries.get_nowait()
            if oldest is None:
                self._entries.put(None)  # that the thread is to end
            else:
                self._drop()

    def _drop(self) -> None:
        with self._changed:
            self.dropped += 1
            self._untold += 1

    def _record(self, when: float, event: str, service_id: str, details: bytes) -> None:
        if self._untold:
            self._tell_dropped(when)
        text = line.encode(timestamp(when), self._seq + 1, event, service_id, details)
        if event == "app_data_removed":
            self._file.close()  # it went with the folder: this write makes another
        if not self._write(text):
            self._drop()
        self._remember(text)

    def _tell_dropped(self, when: float) -> None:
        """Say it with a number of its own, as soon as the file takes it."""
        untold = self._untold
        details = line.encode_details({"count": untold})
        text = line.encode(timestamp(when), self._seq + 1, "telemetry_dropped", "", details)
        if self._write(text):
            with self._changed:
                self._untold -= untold
            self._remember(text)

    def _write(self, text: bytes) -> bool:
        return _write_line(self._file, text) or self._failed()

    def _failed(self) -> bool:
        if not self._untold:
            trouble = self._file.trouble
            self._report(
                f"telemetry file {self.path} cannot be written:"
                f" {trouble.strerror if trouble else 'unknown error'};"
                " events are dropped until it can"
            )
        return False

    def _remember(self, text: bytes) -> None:
        with self._changed:
            self._seq += 1
            self._recent.append((self._seq, text))
            self._changed.notify_all()


def append(
    path: str,
    event: str,
    service_id: str | None = None,
    details: dict[str, object] | None = None,
) -> bool:
    """Write one event into the file of a runtime that is dead; False when that cannot be."""
    file = LogFile(path, files=len(TELEMETRY))
    try:
        seq = last_seq(path) + 1
    except OSError:
        return False
    encoded = line.encode_details(details) if details else b""
    text = line.encode(timestamp(time.time()), seq, event, service_id or "", encoded)
    is_written = _write_line(file, text)
    file.close()
    return is_written


def _write_line(file: LogFile, text: bytes) -> bool:
    """Write one whole line; what was torn before it is ended first."""
    if not file.open():
        return False
    whole = text if file.at_line_start else b"\n" + text
    return file.write(whole) == len(whole)
