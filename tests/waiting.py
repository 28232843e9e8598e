"""Waiting for a condition, the only way in which a test may wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

SHORTEST_S, LONGEST_S, PART = 0.005, 0.05, 0.05
"""Between two looks is a twentieth of the time waited so far, within these bounds: whoever looks
more often takes the processor from what is waited for."""


def wait_until(condition: Callable[[], T], deadline: float = 30.0, what: str = "") -> T:
    """Return the first truthy value of ``condition``; AssertionError after ``deadline`` seconds.

    ``what`` says in the error what was waited for.
    """
    began = time.monotonic()
    between = threading.Event()
    while not (value := condition()):
        waited = time.monotonic() - began
        if waited > deadline:
            raise AssertionError(f"not within {deadline:g} s: {what or condition}")
        between.wait(min(max(SHORTEST_S, PART * waited), LONGEST_S))
    return value
