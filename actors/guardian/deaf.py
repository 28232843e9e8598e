"""A guardian is born deaf: what a terminal or a desktop sends may come at any moment."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

if sys.platform == "win32":
    # Console events are ignored by the guardian itself, as soon as it lives.
    DEAF_TO: tuple[signal.Signals, ...] = (signal.SIGINT, signal.SIGBREAK)

    @contextmanager
    def deaf_children() -> Iterator[None]:
        """Do nothing: signals are not inherited."""
        yield

else:
    DEAF_TO = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)

    @contextmanager
    def deaf_children() -> Iterator[None]:
        """Block the signals in what this thread starts; what comes meanwhile is kept for us."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, DEAF_TO)
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def ignore_signals() -> None:
    """Stay deaf from now on."""
    for number in DEAF_TO:
        signal.signal(number, signal.SIG_IGN)
