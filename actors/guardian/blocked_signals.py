"""A guardian is born deaf: what a terminal or a desktop sends may come at any moment."""

from __future__ import annotations

import signal
import sys

if sys.platform == "win32":

    class DeafChildren:
        """Does nothing: the guardian ignores console events as soon as it lives."""

        def __enter__(self) -> None:
            pass

        def __exit__(self, *_: object) -> None:
            pass

else:
    DEAF_TO = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)

    class DeafChildren:
        """Blocks these signals, for ever, in what this thread starts; ours come a little later."""

        def __enter__(self) -> None:
            self._before = signal.pthread_sigmask(signal.SIG_BLOCK, DEAF_TO)

        def __exit__(self, *_: object) -> None:
            signal.pthread_sigmask(signal.SIG_SETMASK, self._before)
