"""What is waited for and expected of a folder, and what is said of it."""

from __future__ import annotations

import time
from collections.abc import Callable

DEADLINE = 60.0
"""Seconds that any one thing may take; emulators are slow."""


class Wrong(Exception):
    """Something did not go as it has to."""


def until(what: str, true: Callable[[], bool]) -> None:
    """Wait until something is true; :class:`Wrong` after the deadline."""
    end = time.monotonic() + DEADLINE
    while not true():
        if time.monotonic() > end:
            raise Wrong(f"in {DEADLINE:.0f} seconds it did not come true that {what}")
        time.sleep(0.02)


def expect(status: int, what: str, answer: tuple[int, bytes]) -> None:
    """Raise :class:`Wrong` unless an answer has the status."""
    if answer[0] != status:
        raise Wrong(f"{what}: {answer[0]}, not {status}: {answer[1][:500]!r}")


def done(what: str) -> None:
    """Say what was done."""
    print(f"ok: {what}", flush=True)
