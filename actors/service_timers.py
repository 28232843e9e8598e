"""The timers of one service, which fire as messages to its actor."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from bundlevisor.actors.core.messages import Message, Timer, TimerFired
from bundlevisor.actors.loop.reactor import Loop, Timer as LoopTimer

DEADLINES = (Timer.READINESS, Timer.STARTUP, Timer.GRACE)
"""Those by which the service should have said, or done, something."""


class ServiceTimers:
    """One of each kind. Only its actor sets them, which ``tell`` reaches.

    ``look(then)`` is called before a deadline is told, which ``then`` does: the logs are read, and
    exits told, by way of another thread, which a late runtime has held up as well.
    """

    def __init__(
        self,
        loop: Loop,
        tell: Callable[[Message], None],
        look: Callable[[Callable[[], object]], object],
    ) -> None:
        self._loop = loop
        self._tell = tell
        self._look = look
        self._armed: dict[Timer, tuple[LoopTimer, TimerFired]] = {}

    def arm(self, timer: Timer, seconds: float, incarnation: int) -> None:
        """Have it fire in so many seconds, and no earlier setting of it."""
        self.disarm(timer)
        message = TimerFired(incarnation, timer)
        tell = partial(self._tell, message)
        fire = partial(self._look, tell) if timer in DEADLINES else tell
        self._armed[timer] = self._loop.call_at(time.monotonic() + seconds, fire), message

    def extend(self, timer: Timer, seconds: float, incarnation: int) -> None:
        """Put a timer off; one that is not set, or has fired, stays so; none is brought forward."""
        if timer not in self._armed:
            return
        armed, _ = self._armed[timer]
        if not armed.cancelled and armed.when < time.monotonic() + seconds:
            self.arm(timer, seconds, incarnation)

    def disarm(self, timer: Timer) -> None:
        """Have it not fire; one that is not set stays so."""
        if timer in self._armed:
            armed, _ = self._armed.pop(timer)
            armed.cancel()

    def stands(self, message: TimerFired) -> bool:
        """Whether the timer has been neither disarmed nor set anew since it fired."""
        return message.timer in self._armed and self._armed[message.timer][1] is message

    def disarm_all(self) -> None:
        """Have none fire."""
        for timer in list(self._armed):
            self.disarm(timer)
