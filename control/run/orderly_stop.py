"""The orderly stop of all services, within a bound, and what a person is told meanwhile."""

from __future__ import annotations

import threading
from typing import Any

import pykka

from bundlevisor.actors.board import Board
from bundlevisor.actors.core.messages import KillBundle, StopBundle
from bundlevisor.actors.core.snapshot import LIVE, Phase
from bundlevisor.actors.loop.working_time import SLICE, WorkingTime
from bundlevisor.control.run.console import Console
from bundlevisor.control.run.shutdown_requests import ONE_PRESS, ShutdownRequests

FOREVER = threading.TIMEOUT_MAX
"""Seconds: longer than an application lives, and short enough for every platform's wait."""
KILL_PATIENCE = 5.0
"""Seconds for the kernel to end killed processes, before they are left to the guardian."""
LOOK_EVERY = 0.1
"""Seconds between two looks whether all has stopped, where there is no thread to wake us."""
REMIND_AFTER = ONE_PRESS
REMIND_EVERY = 2.0
"""Seconds until the first word on what a stop waits for, and between two of them."""


class OrderlyStop:
    """One stop; used by the main thread only."""

    def __init__(
        self,
        supervisor: pykka.ActorRef[Any],
        board: Board,
        ending: ShutdownRequests,
        console: Console,
    ) -> None:
        self._supervisor = supervisor
        self._board = board
        self._ending = ending
        self._console = console

    def stop(self, reason: str, bound: float) -> bool:
        """Stop everything in order, and kill what is left after ``bound`` seconds or on insistence.

        Returns whether nothing is left.
        """
        self._supervisor.tell(StopBundle(reason))
        look_every = self._be_woken()
        clock = WorkingTime()  # what held us up has held up the stop as well
        deadline = clock.now() + bound
        remind = clock.now() + REMIND_AFTER
        while self._board.snapshot.phase is not Phase.STOPPED:
            patience = min(remind, deadline) - clock.now()
            insisted = self._ending.insisted(min(patience, look_every))
            if insisted or clock.now() >= deadline:
                return self._kill()
            if clock.now() >= remind:
                remind += REMIND_EVERY
                self._remind()
        return True

    def _be_woken(self) -> float:
        """Have the end of the stop wake the wait for insistence; return how often to look too."""
        try:
            threading.Thread(target=self._wake_when_stopped, name="stopped", daemon=True).start()
        except RuntimeError:  # no more threads for this user
            return LOOK_EVERY
        return SLICE

    def _wake_when_stopped(self) -> None:
        self._board.wait(lambda snapshot: snapshot.phase is Phase.STOPPED, FOREVER)
        self._ending.ask("everything has stopped")

    def _kill(self) -> bool:
        self._console.warn("killing what has not stopped")
        self._supervisor.tell(KillBundle())
        final = self._board.wait(lambda s: s.phase is Phase.STOPPED, KILL_PATIENCE)
        return final.phase is Phase.STOPPED

    def _remind(self) -> None:
        services = self._board.snapshot.services
        busy = [id_ for id_, view in services.items() if view.state in LIVE]
        if busy:
            self._console.info(f"waiting for {', '.join(busy)} to stop (Ctrl-C again kills)")
