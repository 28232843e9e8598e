"""What ends a command that holds the terminal: as Ctrl-C does, so that the terminal is put back."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

if sys.platform == "win32":
    ENDED_BY: tuple[signal.Signals, ...] = ()
else:
    ENDED_BY = (signal.SIGTERM, signal.SIGQUIT)
"""What a person ends it by, besides Ctrl-C: ``kill``, ``timeout``, Ctrl-Backslash."""


@contextmanager
def ended_as_by_ctrl_c() -> Iterator[None]:
    """Have these signals raise KeyboardInterrupt. Main thread only."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in ENDED_BY}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
