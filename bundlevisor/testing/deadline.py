"""Waiting for a condition, with a deadline and a story: the kit's only way to wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
WITHIN = 30.0
"""Seconds that a wait has unless it is told otherwise: long enough for a busy machine."""
SHORTEST, LONGEST, PART = 0.01, 0.05, 0.05
"""Between two looks is a twentieth of the time waited so far, within these bounds in seconds:
whoever looks more often takes the processor from what is waited for."""


class NotWithin(AssertionError):
    """A condition did not come true in time; the message tells what happened instead."""


def time_left(within: float) -> Callable[[], float]:
    """Return what tells the seconds that are left of ``within`` from now, for one request more."""
    end = time.monotonic() + within
    return lambda: max(SHORTEST, end - time.monotonic())


def wait_until(
    condition: Callable[[], T],
    what: str = "",
    *,
    within: float = WITHIN,
    story: Callable[[], str] = str,
) -> T:
    """Return the first truthy value of ``condition``.

    Raises NotWithin after ``within`` seconds; it names ``what`` and ends with ``story()``, which is
    also the note of whatever the condition raises.
    """
    began = time.monotonic()
    pause = threading.Event()
    while not (value := _looked(condition, story)):
        waited = time.monotonic() - began
        if waited >= within:
            told = story()
            raise NotWithin(
                f"not within {within:g} s: {what or condition}" + f"\n{told}" * bool(told)
            )
        pause.wait(min(max(SHORTEST, PART * waited), LONGEST))
    return value


def _looked(condition: Callable[[], T], story: Callable[[], str]) -> T:
    try:
        return condition()
    except Exception as error:
        if told := story():
            error.add_note(told)
        raise
