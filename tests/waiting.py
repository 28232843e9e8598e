"""Waiting for a condition, the only way in which a test may wait: the kit's, in fewer words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from bundlevisor.testing import deadline as kit

T = TypeVar("T")
WITHIN = kit.WITHIN
"""Seconds that anything may take which is waited for: long enough for a busy machine."""


def wait_until(
    condition: Callable[[], T],
    deadline: float = WITHIN,
    what: str = "",
    story: Callable[[], str] = str,
) -> T:
    """Return the first truthy value of ``condition``; AssertionError after ``deadline`` seconds.

    ``what`` says in the error what was waited for, ``story`` what has happened instead.
    """
    return kit.wait_until(condition, what, within=deadline, story=story)
