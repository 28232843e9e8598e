"""The probes of one incarnation: until it is ready, then whether it still is."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from bundlevisor.actors.loop.reactor import Loop, Timer
from bundlevisor.actors.probes.checks import Answer, Target, TcpCheck, ask
from bundlevisor.actors.probes.listen_watch import Listening, pause
from bundlevisor.actors.probes.schedule import Pace, ProbeStats, asked_at
from bundlevisor.manifest.format.probe import Health
from bundlevisor.manifest.plan.readiness import Condition, Criterion

if TYPE_CHECKING:
    from bundlevisor.actors.probes.checks import Check

    Ask = Callable[[Answer], Check]

CONNECT_TIMEOUT = 1.0
"""Seconds for one connection attempt to a port of this machine."""
CONNECT_INTERVAL = 0.5
"""Seconds, at most, between two attempts."""


class Probing:
    """The checks of one incarnation, asked from the events loop, which also tells the answers.

    Methods may be called from any thread.
    """

    def __init__(self, loop: Loop, listening: Listening, target: Target, stats: ProbeStats) -> None:
        self._loop = loop
        self._target = target
        self._stats = stats
        self._listening = listening
        self._stopped = False
        self._trouble = ""
        self._silent: int | None = None
        """The port on which nobody listens yet."""
        self._check: Check | None = None
        """The one that is under way."""
        self._hears: Answer | None = None
        """Who hears what it answers."""
        self._began = 0.0
        self._before = "not asked yet"
        """The last answer of the regular checks."""
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

    def until_ready(
        self,
        criterion: Criterion,
        health: Health | None,
        on_ready: Callable[[], None],
        on_listen: Callable[[], None],
    ) -> None:
        """Call ``on_ready`` once the criterion holds, if that has to be asked for.

        ``on_listen`` is called before, as soon as somebody listens on the port that is asked.
        """
        ask_once: Ask
        if criterion.condition is Condition.LISTENING:
            ask_once, interval = self._connect, CONNECT_INTERVAL
        elif criterion.condition is Condition.HEALTHY and health is not None:
            ask_once, interval = partial(self._ask, health), health.interval
        else:
            return
        self._loop.call_soon(lambda: self._begin(ask_once, interval, on_ready, on_listen))

    def watch(self, health: Health, on_answer: Answer) -> None:
        """Ask again and again, and call ``on_answer`` with every answer that is news.

        That a service is still well is none.
        """
        self._on_news = on_answer
        self._ask_regularly = partial(self._ask, health)
        self._pace = Pace(health.interval, health.widest_interval)
        self._wait = health.interval
        self._loop.call_soon(self._wait_for_next)

    def stop(self) -> None:
        """Ask no more; an answer under way is dropped."""
        self._stopped = True
        self._loop.call_soon(self._clear)

    def _connect(self, answer: Answer) -> Check:
        return TcpCheck(self._loop, self._target.port or 0, CONNECT_TIMEOUT, answer)

    def _ask(self, health: Health, answer: Answer) -> Check:
        return ask(self._loop, health, self._target, answer)

    def _begin(
        self,
        ask_once: Ask,
        interval: float,
        on_ready: Callable[[], None],
        on_listen: Callable[[], None],
    ) -> None:
        if self._stopped:
            return
        since, port = time.monotonic(), self._target.port

        def listened_on() -> None:
            self._silent = None
            on_listen()
            self._try(ask_once, interval, on_ready, since)

        if port is None:
            self._try(ask_once, interval, on_ready, since)
        else:
            self._silent = port
            self._listen = self._listening.when(port, listened_on)

    def _try(
        self, ask_once: Ask, interval: float, on_ready: Callable[[], None], since: float
    ) -> None:
        if self._stopped:
            return

        def answered(trouble: str) -> None:
            self._trouble = trouble
            if not trouble:
                on_ready()
                return
            wait = pause(time.monotonic() - since, interval)
            self._at(
                time.monotonic() + wait, lambda: self._try(ask_once, interval, on_ready, since)
            )

        try:
            self._put(ask_once, answered)
        except OSError as error:
            answered(f"it cannot be asked: {error.strerror}")

    def _wait_for_next(self) -> None:
        self._at(asked_at(time.monotonic() + self._wait, self._wait), self._ask_again)

    def _ask_again(self) -> None:
        if self._stopped:
            return
        try:
            self._put(self._ask_regularly, self._hear)
        except OSError:
            self._wait_for_next()

    def _hear(self, trouble: str) -> None:
        before, self._before = self._before, trouble
        if trouble or before:
            self._on_news(trouble)
        self._wait = self._pace.after(self._wait, trouble)
        self._wait_for_next()

    def _put(self, ask_once: Ask, hear: Answer) -> None:
        """Ask; one check is under way at a time. OSError where it cannot be asked."""
        self._began, self._hears = time.monotonic(), hear
        check = ask_once(self._answered)
        if self._hears is not None:
            self._check = check

    def _answered(self, trouble: str) -> None:
        hear, self._hears, self._check = self._hears, None, None
        self._stats.add(time.monotonic() - self._began, failed=bool(trouble))
        if hear is not None and not self._stopped:
            hear(trouble)

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
