"""The clocks that the loop reads, as a value, so that tests can hand in clocks of their own.

What ``time.monotonic`` does while the machine is suspended differs: it stands still on Linux
(CLOCK_MONOTONIC, clock_gettime(2)) and on macOS (CPython reads mach_absolute_time), and it runs on
under Windows (GetTickCount64).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import msgspec

SUSPENDED_AFTER = 2.0
"""Seconds: a shorter difference between the clocks is not worth a word."""


class Clock(msgspec.Struct, frozen=True):
    """``monotonic`` and ``suspended`` are in seconds.

    ``suspended`` is how long the machine has been asleep in total, from any starting point: only
    its progress counts. ``runs_asleep`` says whether ``monotonic`` goes on during a suspend.
    """

    monotonic: Callable[[], float]
    suspended: Callable[[], float]
    runs_asleep: bool


class Sleep:
    """Notices that the machine has slept; one thread only."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._total = clock.suspended()

    def lately(self) -> float:
        """Return how many seconds it has slept since the last look; 0 for a few."""
        before, self._total = self._total, self._clock.suspended()
        lately = self._total - before
        return lately if lately > SUSPENDED_AFTER else 0.0


if sys.platform == "win32":
    since_boot = time.monotonic

    def _suspended() -> float:
        """GetTickCount64 counts the sleep, QueryUnbiasedInterruptTime (100 ns units) does not."""
        import ctypes

        unbiased = ctypes.c_ulonglong()
        ctypes.windll.kernel32.QueryUnbiasedInterruptTime(ctypes.byref(unbiased))
        return time.monotonic() - unbiased.value / 1e7

    SYSTEM = Clock(time.monotonic, _suspended, runs_asleep=True)
elif sys.platform == "darwin":

    def since_boot() -> float:
        """Apple's CLOCK_MONOTONIC counts the sleep, unlike Linux's (clock_gettime(3) on macOS)."""
        return time.clock_gettime(time.CLOCK_MONOTONIC)

    def _suspended() -> float:
        return since_boot() - time.monotonic()

    SYSTEM = Clock(time.monotonic, _suspended, runs_asleep=False)
else:

    def since_boot() -> float:
        """CLOCK_BOOTTIME counts the sleep (clock_gettime(2), since Linux 2.6.39)."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def _suspended() -> float:
        return since_boot() - time.monotonic()

    SYSTEM = Clock(time.monotonic, _suspended, runs_asleep=False)
