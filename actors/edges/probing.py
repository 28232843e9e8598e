"""When the health checks of one incarnation are asked: eagerly until it is ready, then regularly.

Readiness: as soon as the port is listened on, then again and again at a twentieth of the time
waited so far (1 ms at first, ``interval_ms`` at most) until the check is well. Liveness: every
``interval_ms``, counted from answer to question, so that a slow service is not asked twice at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from actors.edges.checks import Answer, Check
from actors.edges.listening import Listening, pause
from actors.edges.loop import Loop, Timer

Ask = Callable[[Answer], Check]


class Probing:
    """The checks of one incarnation. Methods may be called from any thread."""

    def __init__(self, loop: Loop, listening: Listening) -> None:
        self._loop = loop
        self._listening = listening
        self._stopped = False
        self.trouble = ""
        """What stands in the way of readiness, as far as it is known; empty when nothing is."""
        self._check: Check | None = None
        self._timer: Timer | None = None
        self._listen: object = None

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

    def regularly(self, ask: Ask, interval: float, told: Answer) -> None:
        """Call ``told`` with every answer, each ``interval`` seconds after the one before."""
        self._loop.call_soon(lambda: self._later(interval, lambda: self._live(ask, interval, told)))

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
            self.trouble = ""
            if listens is not None:
                listens()
            self._try(ask, interval, told, since)

        if port is None:
            self._try(ask, interval, told, since)
        else:
            self.trouble = f"nothing listens on port {port}"
            self._listen = self._listening.when(port, listened_on)

    def _try(self, ask: Ask, interval: float, told: Callable[[], None], since: float) -> None:
        if self._stopped:
            return

        def answered(trouble: str) -> None:
            self._check = None
            if self._stopped:
                return
            self.trouble = trouble
            if not trouble:
                told()
                return
            wait = pause(time.monotonic() - since, interval)
            self._later(wait, lambda: self._try(ask, interval, told, since))

        self._put(ask, answered)

    def _live(self, ask: Ask, interval: float, told: Answer) -> None:
        if self._stopped:
            return

        def answered(trouble: str) -> None:
            self._check = None
            if not self._stopped:
                told(trouble)
                self._later(interval, lambda: self._live(ask, interval, told))

        self._put(ask, answered)

    def _put(self, ask: Ask, answered: Answer) -> None:
        done = False

        def once(trouble: str) -> None:
            nonlocal done
            done = True
            answered(trouble)

        check = ask(once)
        if not done:
            self._check = check

    def _later(self, seconds: float, then: Callable[[], None]) -> None:
        if not self._stopped:
            self._timer = self._loop.call_at(time.monotonic() + seconds, then)

    def _clear(self) -> None:
        if self._check is not None:
            self._check.cancel()
            self._check = None
        if self._timer is not None:
            self._timer.cancel()
        self._listening.cancel(self._listen)
