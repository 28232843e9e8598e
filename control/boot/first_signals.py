"""The signals of a runtime from its first moment on, whatever its launcher has left to it.

Blocked and ignored signals survive exec(2). A shell that starts something in the background ignores
SIGINT and SIGQUIT for it, nohup ignores SIGHUP, and others block every signal. Such a signal could
stop neither the runtime nor a service, which inherits the setting again. But ``nohup`` together
with ``--keep-running`` asks for a runtime that outlives its terminal: that one is not ended by
SIGHUP.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ENDING = ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK")
"""What ends a program; each platform has some of them."""
PYTHONS_OWN = ("SIGPIPE", "SIGXFSZ")
"""Ignored by Python itself, which has them reset in what it spawns."""


spared: set[int] = set()
"""Ending signals that do not end this runtime."""


def own(*, keep_running: bool = False) -> None:
    """Let nothing be ignored or blocked, and end at once, with 0, on what ends a program.

    There is nothing to stop yet; bundlevisor.control.run.shutdown_requests hears these signals
    later.
    """
    signals: Any = __import__("_signal")  # without the enumerations of signal, 2 ms
    kept = [getattr(signals, name, None) for name in PYTHONS_OWN]
    hang_up = getattr(signals, "SIGHUP", None)
    if keep_running and hang_up and signals.getsignal(hang_up) == signals.SIG_IGN:
        spared.add(hang_up)
    for number in signals.valid_signals():
        if number not in kept and signals.getsignal(number) == signals.SIG_IGN:
            signals.signal(number, signals.SIG_DFL)
    for name in ENDING:
        number = getattr(signals, name, None)
        if number in spared:
            signals.signal(number, lambda *_: None)  # a service does not inherit that
        elif number is not None:
            signals.signal(number, lambda *_: os._exit(0))
    if hasattr(signals, "pthread_sigmask"):
        signals.pthread_sigmask(signals.SIG_SETMASK, ())
