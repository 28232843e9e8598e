"""When the health checks of one incarnation are asked: eagerly until it is ready, then regularly.

Readiness: as soon as the port is listened on, then again and again at a twentieth of the time
waited so far (1 ms at first, ``interval_ms`` at most) until the check is well. Liveness: every
``interval_ms``, counted from answer to question, so that a slow service is not asked twice at once
(where the bundle sets none: every half second at first, and ever more rarely while all is well),
and at most an eighth of it or 250 ms later: services that are due by then are asked in one turn,
and a laptop that does nothing is woken once for all of them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import msgspec

from bundlevisor.actors.loop.reactor import Loop, Timer
from bundlevisor.actors.probes.checks import Answer, Check
from bundlevisor.actors.probes.listen_watch import Listening, pause

Ask = Callable[[Answer], Check]
SLACK = 0.25
"""Seconds that a regular check may be late, at most, so that it is asked together with others."""


def asked_at(due: float, interval: float) -> float:
    """Return the moment of a regular check that is due: the next one that others share."""
    step = min(SLACK, interval / 8)
    return math.ceil(due / step) * step


class Pace(msgspec.Struct, frozen=True):
    """Seconds between two regular checks; while all is well they double, up to ``widest``."""

    interval: float
    widest: float

    def after(self, wait: float, trouble: str) -> float:
        """Return the wait that follows a check which was waited for ``wait`` seconds."""
        return self.interval if trouble else min(2 * wait, self.widest)


class ProbeStats:
    """The checks of one service so far: how many, and the seconds until they were answered."""

    __slots__ = ("count", "failed", "seconds_last", "seconds_sum")

    def __init__(self) -> None:
        self.count = 0
        self.failed = 0
        self.seconds_sum = 0.0
        self.seconds_last = 0.0

    def add(self, seconds: float, *, failed: bool) -> None:
        """Count an answer."""
        self.count += 1
        self.failed += failed
        self.seconds_sum += seconds
        self.seconds_last = seconds


class Probing:
    """The checks of one incarnation. Methods may be called from any thread."""

    def __init__(self, loop: Loop, listening: Listening, tally: ProbeStats) -> None:
        self._loop = loop
        self._tally = tally
        self._listening = listening
        self._stopped = False
        self._trouble = ""
        self._silent: int | None = None
        """The port on which nobody listens yet."""
        self._check: Check | None = None
        self._timer: Timer | None = None
        self._listen: object = None

    @property
    def trouble(self) -> str:
        """What stands in the way of readiness, as far as it is known; empty when nothing is."""
        silent = self._silent
        if silent is None:
            return self._trouble
        from bundlevisor.actors.probes.listeners import nothing_listens

        return nothing_listens(silent)

    def until_well(
        self,
        ask: Ask,
        interval: float,
        told: Callable[[], None],
        port: int | None = None,
        listens: Callable[[], None] | None = None,
    ) -> None:
        """Call ``told`` once, when the check is well for the first time.

        ``listens`` is called before, as soon as somebody listens on ``port``.
        """
        self._loop.call_soon(lambda: self._begin(ask, interval, told, port, listens))

    def regularly(self, ask: Ask, pace: Pace, told: Answer) -> None:
        """Ask again and again, and call ``told`` with every answer that is news.

        That a service is still well is none.
        """
        self._loop.call_soon(
            lambda: self._next_live(ask, pace, told, "not asked yet", pace.interval)
        )

    def stop(self) -> None:
        """Ask no more; an answer under way is dropped."""
        self._stopped = True
        self._loop.call_soon(self._clear)

    def _begin(
        self,
        ask: Ask,
        interval: float,
        told: Callable[[], None],
        port: int | None,
        listens: Callable[[], None] | None,
    ) -> None:
        if self._stopped:
            return
        since = time.monotonic()

        def listened_on() -> None:
            self._silent = None
            if listens is not None:
                listens()
            self._try(ask, interval, told, since)

        if port is None:
            self._try(ask, interval, told, since)
        else:
            self._silent = port
            self._listen = self._listening.when(port, listened_on)

    def _try(self, ask: Ask, interval: float, told: Callable[[], None], since: float) -> None:
        if self._stopped:
            return

        def answered(trouble: str) -> None:
            self._check = None
            if self._stopped:
                return
            self._trouble = trouble
            if not trouble:
                told()
                return
            wait = pause(time.monotonic() - since, interval)
            self._at(time.monotonic() + wait, lambda: self._try(ask, interval, told, since))

        self._put(ask, answered)

    def _next_live(self, ask: Ask, pace: Pace, told: Answer, before: str, wait: float) -> None:
        when = asked_at(time.monotonic() + wait, wait)
        self._at(when, lambda: self._live(ask, pace, told, before, wait))

    def _live(self, ask: Ask, pace: Pace, told: Answer, before: str, wait: float) -> None:
        if self._stopped:
            return

        def answered(trouble: str) -> None:
            self._check = None
            if not self._stopped:
                if trouble or before:
                    told(trouble)
                self._next_live(ask, pace, told, trouble, pace.after(wait, trouble))

        self._put(ask, answered)

    def _put(self, ask: Ask, answered: Answer) -> None:
        done = False
        began = time.monotonic()

        def once(trouble: str) -> None:
            nonlocal done
            done = True
            self._tally.add(time.monotonic() - began, failed=bool(trouble))
            answered(trouble)

        check = ask(once)
        if not done:
            self._check = check

    def _at(self, when: float, then: Callable[[], None]) -> None:
        if not self._stopped:
            self._timer = self._loop.call_at(when, then)

    def _clear(self) -> None:
        if self._check is not None:
            self._check.cancel()
            self._check = None
        if self._timer is not None:
            self._timer.cancel()
        self._listening.cancel(self._listen)
