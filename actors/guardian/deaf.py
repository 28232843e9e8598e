"""A guardian is born deaf: what a terminal or a desktop sends may come at any moment."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

if sys.platform == "win32":

    @contextmanager
    def deaf_children() -> Iterator[None]:
        """Do nothing: the guardian ignores console events as soon as it lives."""
        yield

else:
    DEAF_TO = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)

    @contextmanager
    def deaf_children() -> Iterator[None]:
        """Block these signals, for ever, in what this thread starts; ours come a little later."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, DEAF_TO)
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
