"""How the runtime comes to its end: who may ask for it, and what a second request means.

Signals, ``POST /shutdown``, the death of the parent and the end of stdin all come to one queue,
which the main thread reads. The first asks for an orderly stop. While that is going on one SIGTERM
is expected, because Electron posts /shutdown and calls kill() at once; a second one insists, and so
does any Ctrl-C after the first request, but for one that belongs to it (``ONE_PRESS``).

A signal that comes just before the main thread begins to wait for a lock, or that another thread is
given, does not end that wait, and its handler would not run before the next signal. So on POSIX the
main thread waits for a pipe, into which Python writes as the signal comes (set_wakeup_fd). On
Windows no signal interrupts the wait for a lock: there the main thread looks every ``TICK``.
"""

from __future__ import annotations

import os
import queue
import select
import signal
import sys
import time
from contextlib import suppress
from types import FrameType

import msgspec

from bundlevisor.actors.process import plain_signals
from bundlevisor.actors.process.exit_reason import signal_name
from bundlevisor.control.boot import first_signals

TICK = 0.2
"""Seconds that a signal may wait for its handler on Windows."""
ONE_PRESS = 0.3
"""Seconds after the first request in which a Ctrl-C is the same one: a terminal signals all that is
in it, and a parent (timeout, concurrently) passes that on; Electron posts /shutdown besides."""


class ShutdownRequest(msgspec.Struct, frozen=True):
    """Somebody asks the runtime to end; ``signal`` is empty when it was not by a signal."""

    reason: str
    signal: str = ""
    code: int = 0
    """The exit code of a runtime that ends for this reason."""
    at: float = 0.0
    """When it came, by time.monotonic()."""


class ShutdownRequests:
    """The requests to end, in the order in which they came."""

    def __init__(self) -> None:
        self._requests: queue.SimpleQueue[ShutdownRequest] = queue.SimpleQueue()
        self._heard: list[ShutdownRequest] = []
        self.asked = False
        """Whether anybody has asked; nothing that is asked for from then on will last."""
        if sys.platform != "win32":
            self._ear, self._bell = os.pipe()
            os.set_blocking(self._ear, False)
            os.set_blocking(self._bell, False)

    def ask(self, reason: str, code: int = 0) -> None:
        """Ask for an orderly stop. Any thread; asking again changes nothing."""
        self._put(ShutdownRequest(reason, code=code, at=time.monotonic()))

    def hear_signals(self) -> None:
        """Turn the signals that end a program into requests. Main thread only."""
        if sys.platform != "win32":
            signal.set_wakeup_fd(self._bell, warn_on_full_buffer=False)
        for name in first_signals.ENDING:
            number = getattr(signal, name, None)
            if number is not None and number not in first_signals.spared:
                plain_signals.handle(number, self._signalled)
        if sys.platform == "win32":
            from bundlevisor.actors.process.windows.console import watch_close

            watch_close(lambda: self.ask("the console was closed, or the user logs off"))

    def _signalled(self, number: int, _: FrameType | None) -> None:
        name = signal_name(number)
        self._put(ShutdownRequest(f"{name} received", name, at=time.monotonic()))

    def _put(self, request: ShutdownRequest) -> None:
        self.asked = True
        self._requests.put(request)
        if sys.platform != "win32":
            with suppress(BlockingIOError):  # full: it rings already
                os.write(self._bell, b"\0")

    def wait(self) -> ShutdownRequest:
        """Block until somebody asks. Main thread only."""
        request = None
        while request is None:
            request = self._next(None)
        return request

    def insisted(self, timeout: float) -> bool:
        """Wait at most ``timeout`` seconds for a request; return whether somebody insists."""
        self._next(time.monotonic() + timeout)
        return insists(self._heard)

    def _next(self, deadline: float | None) -> ShutdownRequest | None:
        while True:
            left = None if deadline is None else max(deadline - time.monotonic(), 0)
            try:
                request = self._take(left)
            except queue.Empty:
                if deadline is not None and time.monotonic() >= deadline:
                    return None
                continue
            self._heard.append(request)
            return request

    if sys.platform == "win32":

        def _take(self, left: float | None) -> ShutdownRequest:
            return self._requests.get(timeout=TICK if left is None else min(left, TICK))

    else:

        def _take(self, left: float | None) -> ShutdownRequest:
            with suppress(queue.Empty):
                return self._requests.get_nowait()
            poll = select.poll()  # unlike select(2) it takes every descriptor
            poll.register(self._ear, select.POLLIN)
            if poll.poll(None if left is None else left * 1000):
                os.read(self._ear, 4096)
            return self._requests.get_nowait()


def insists(heard: list[ShutdownRequest]) -> bool:
    """Whether the requests so far mean: at once, orderly or not."""
    during = heard[1:]
    interrupted = any(
        request.signal == "SIGINT" and request.at > heard[0].at + ONE_PRESS for request in during
    )
    others = sum(1 for request in during if request.signal not in {"", "SIGINT"})
    return interrupted or others >= 2
