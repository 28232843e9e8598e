"""How the runtime comes to its end: who may ask for it, and what a second request means.

Signals, ``POST /shutdown``, the death of the parent and the end of stdin all come to one queue,
which the main thread reads. The first asks for an orderly stop. While that is going on one SIGTERM
is expected, because Electron posts /shutdown and calls kill() at once; a second one insists, and so
does any Ctrl-C after the first request.
"""

from __future__ import annotations

import queue
import signal
import sys
import time
from types import FrameType

import msgspec

TICK = 0.2 if sys.platform == "win32" else 0.5
"""Seconds that a signal may wait for its handler: on Windows none interrupts a wait for a lock, and
elsewhere none that came just before the wait began, or that another thread was given.
"""
ENDING_SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK")


class Request(msgspec.Struct, frozen=True):
    """Somebody asks the runtime to end; ``signal`` is empty when it was not by a signal."""

    reason: str
    signal: str = ""


class Ending:
    """The requests to end, in the order in which they came."""

    def __init__(self) -> None:
        self._requests: queue.SimpleQueue[Request] = queue.SimpleQueue()
        self._heard: list[Request] = []

    def ask(self, reason: str) -> None:
        """Ask for an orderly stop. Any thread; asking again changes nothing."""
        self._requests.put(Request(reason))

    def hear_signals(self) -> None:
        """Turn the signals that end a program into requests. Main thread only."""
        for name in ENDING_SIGNALS:
            number = getattr(signal, name, None)
            if number is not None:
                signal.signal(number, self._signalled)
        if sys.platform == "win32":
            from actors.process.windows_console import watch_close

            watch_close(lambda: self.ask("the console was closed, or the user logs off"))

    def _signalled(self, number: int, _: FrameType | None) -> None:
        name = signal.Signals(number).name
        self._requests.put(Request(f"{name} received", name))

    def wait(self) -> Request:
        """Block until somebody asks. Main thread only."""
        request = None
        while request is None:
            request = self._next(None)
        return request

    def insisted(self, timeout: float) -> bool:
        """Wait at most ``timeout`` seconds for a request; return whether somebody insists."""
        self._next(time.monotonic() + timeout)
        return insists(self._heard)

    def _next(self, deadline: float | None) -> Request | None:
        while True:
            left = None if deadline is None else max(deadline - time.monotonic(), 0)
            left = TICK if left is None else min(left, TICK)
            try:
                request = self._requests.get(timeout=left)
            except queue.Empty:
                if deadline is not None and time.monotonic() >= deadline:
                    return None
                continue
            self._heard.append(request)
            return request


def insists(heard: list[Request]) -> bool:
    """Whether the requests so far mean: at once, orderly or not."""
    during = [request.signal for request in heard[1:]]
    interrupts = during.count("SIGINT")
    others = sum(1 for name in during if name and name != "SIGINT")
    return interrupts >= 1 or others >= 2
