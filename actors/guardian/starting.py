"""Starting the guardian, through multiprocessing.

On POSIX the first one is forked while the runtime has one thread and hardly a module: 0.7 ms, and
it shares its memory. Those that follow are forked by the guardian that is there: the runtime has
threads by then, and a child of its fork(2) would hold whatever locks they held (Python 3.12 warns
of it), and all of the runtime's memory. Only when none is there is a new interpreter started,
slower and bigger, on a day that should not come. Nobody waits for it: what it is told meanwhile
stands in the channel, also if the runtime dies before it listens.
"""

from __future__ import annotations

import gc
import multiprocessing
import signal
import sys
import time
from multiprocessing.process import BaseProcess

from bundlevisor.actors.process.plain_signals import change_mask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from bundlevisor.actors.guardian.channel import End

    class Process(Protocol):
        """A guardian's process."""

        @property
        def pid(self) -> int | None:
            """Its pid; None or 0 while that is not known."""

        def kill(self) -> None:
            """End it at once; gone is success."""

        @property
        def exitcode(self) -> int | None:
            """None while it lives; otherwise it has been reaped by the time this returns."""


NAME = "guardian"
LOOK_EVERY = 0.001
"""Seconds between two looks for an end that is about to come."""


def first(theirs: End) -> Process:
    """Start the first guardian; only while this process has one thread.

    What exists by now is taken out of the garbage collector's sight: its marks in every object
    would unshare all the pages that the two processes have in common.
    """
    gc.freeze()
    if sys.platform != "win32":
        return _start(multiprocessing.get_context("fork").Process, theirs)
    else:  # noqa: RET505 - or mypy calls it unreachable on Windows
        return another(theirs)


def another(theirs: End) -> Process:
    """Start a later one; from any thread."""
    from bundlevisor.actors.process.interpreter import InterpreterProcess

    return _start(InterpreterProcess, theirs)


def await_end(process: Process, timeout: float) -> None:
    """Reap a process that is about to end, if it does so in time.

    Not by Process.join, whose time-out imports multiprocessing.connection: 13 ms of every stop.
    """
    deadline = time.monotonic() + timeout
    while process.exitcode is None and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY)


def _start(process_class: Callable[..., BaseProcess], theirs: End) -> Process:
    """Start a guardian and close our copy of its end of the channel.

    Not as a daemon: at a normal end of the interpreter multiprocessing would send it SIGTERM,
    which it does not hear. It joins it either way.
    """
    process = process_class(target=_guard, args=(theirs,), name=NAME)
    try:
        with BlockedSignals():
            process.start()
    finally:
        theirs.close()
    return process


def _guard(end: End) -> None:
    # Imported by the new process, beside the runtime's start, and never by the runtime.
    from bundlevisor.actors.guardian.guard import guard

    guard(end)


if sys.platform == "win32":

    class BlockedSignals:
        """Does nothing: the guardian ignores console events as soon as it lives."""

        def __enter__(self) -> None:
            pass

        def __exit__(self, *_: object) -> None:
            pass

else:
    BLOCKED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)

    class BlockedSignals:
        """Blocks these signals, for ever, in what this thread starts; ours come a little later.

        What a terminal or a desktop sends may come at any moment.
        """

        def __enter__(self) -> None:
            self._before = change_mask(signal.SIG_BLOCK, BLOCKED)

        def __exit__(self, *_: object) -> None:
            change_mask(signal.SIG_SETMASK, self._before)
