"""Waiting for a condition, the only way in which a test may wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T], deadline: float = 30.0, what: str = "") -> T:
    """Return the first truthy value of ``condition``; AssertionError after ``deadline`` seconds.

    ``what`` says in the error what was waited for.
    """
    end = time.monotonic() + deadline
    between = threading.Event()
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline:g} s: {what or condition}")
        between.wait(0.005)
    return value
