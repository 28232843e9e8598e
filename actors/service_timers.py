"""The timers of one service, which fire as messages to its actor."""

from __future__ import annotations

import time
from collections.abc import Callable

from bundlevisor.actors.core.messages import Timer
from bundlevisor.actors.loop.reactor import Loop, Timer as LoopTimer


class ServiceTimers:
    """One of each kind. Only its actor sets them; ``fire`` is called on the loop's thread."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._timers: dict[Timer, LoopTimer] = {}
        self._bounds: dict[Timer, float] = {}
        """When each was to fire by itself, on the monotonic clock; a service may put it off."""

    def arm(self, timer: Timer, seconds: float, fire: Callable[[], object]) -> None:
        """Have it fire in so many seconds, and no earlier setting of it."""
        when = self._bounds[timer] = time.monotonic() + seconds
        self._set(timer, when, fire)

    def extend(self, timer: Timer, seconds: float, fire: Callable[[], object]) -> None:
        """Put a timer off; one that is not set stays so, and none is brought forward."""
        if timer in self._timers and timer in self._bounds:
            when = max(self._bounds[timer], time.monotonic() + seconds)
            self._set(timer, when, fire)

    def disarm(self, timer: Timer) -> None:
        """Have it not fire; one that is not set stays so."""
        armed = self._timers.pop(timer, None)
        if armed is not None:
            armed.cancel()

    def disarm_all(self) -> None:
        """Have none fire."""
        for timer in list(self._timers):
            self.disarm(timer)

    def _set(self, timer: Timer, when: float, fire: Callable[[], object]) -> None:
        self.disarm(timer)
        self._timers[timer] = self._loop.call_at(when, fire)
