"""Starting the guardian, through multiprocessing.

On POSIX the first one is forked while the runtime has one thread and hardly a module: 0.7 ms, and
it shares its memory. A later one, after the first was killed, is not forked: the runtime has
threads by then, and a child of fork(2) would hold whatever locks they held (Python 3.12 warns of
it), and all of the runtime's memory. It is spawned: a new interpreter, slower and bigger, on a day
that should not come. Nobody waits for it: what it is told meanwhile stands in the channel, also if
the runtime dies before it listens.
"""

from __future__ import annotations

import gc
import multiprocessing
import sys
from collections.abc import Callable
from multiprocessing.process import BaseProcess

from actors.guardian.deaf import DeafChildren

TYPE_CHECKING = False
if TYPE_CHECKING:
    from actors.guardian.channel import End

NAME = "guardian"

FIRST: Callable[..., BaseProcess]
ANOTHER: Callable[..., BaseProcess]
if sys.platform == "win32":
    from actors.guardian.spawn_windows import IndependentProcess

    FIRST = ANOTHER = IndependentProcess
else:
    FIRST = multiprocessing.get_context("fork").Process
    ANOTHER = multiprocessing.get_context("spawn").Process


def first(theirs: End) -> BaseProcess:
    """Start the first guardian; only while this process has one thread.

    What exists by now is taken out of the garbage collector's sight: its marks in every object
    would unshare all the pages that the two processes have in common.
    """
    gc.freeze()
    return _start(FIRST, theirs)


def another(theirs: End) -> BaseProcess:
    """Start a later one; from any thread."""
    return _start(ANOTHER, theirs)


def _start(process_class: Callable[..., BaseProcess], theirs: End) -> BaseProcess:
    """Start a guardian and close our copy of its end of the channel.

    Not as a daemon: at a normal end of the interpreter multiprocessing would send it SIGTERM,
    which it does not hear. It joins it either way.
    """
    process = process_class(target=_guard, args=(theirs,), name=NAME)
    try:
        with DeafChildren():
            process.start()
    finally:
        theirs.close()
    return process


def _guard(end: End) -> None:
    # Imported by the new process, beside the runtime's start, and never by the runtime.
    from actors.guardian.guard import guard

    guard(end)
