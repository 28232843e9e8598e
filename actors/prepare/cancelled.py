"""What ends the preparation of a service early: a stop, or a restart."""

from __future__ import annotations

from collections.abc import Callable

Wanted = Callable[[], bool]
"""Whether somebody still wants what is being done."""


class Cancelled(Exception):
    """Nobody wants the answer any more."""


def always() -> bool:
    """Is a Wanted for what is done to its end."""
    return True
