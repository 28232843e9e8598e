"""Ends a program that serves, after a while, by an alarm of its own."""

from __future__ import annotations

import _thread

from tests.programs.observed import pause

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def die_after(milliseconds: int, end: Callable[[], object]) -> None:
    """Call ``end`` after so long, while the program goes on serving."""

    def wait_and_end() -> None:
        pause(milliseconds)
        end()

    _thread.start_new_thread(wait_and_end, ())
