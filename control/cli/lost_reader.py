"""Who follows ends when nobody reads any more: ``| grep -m 1 service_ready`` has what it wants.

A pipe without a reader is only noticed when something is written into it, and a shell waits for
all commands of a pipe: where nothing more happens, for good.
"""

from __future__ import annotations

import os
import select
import stat
import sys
import threading
from contextlib import suppress

from bundlevisor.control.wire import exit_codes

if sys.platform == "win32":

    def end_with_reader() -> None:
        """Do nothing: no thread can wait for the other end of a pipe there."""

else:

    def end_with_reader() -> None:
        """Have the process end, with 0, when the pipe that stdout is has lost its reader."""
        out = sys.stdout.fileno()
        mode = os.fstat(out).st_mode
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            asked = select.POLLHUP if stat.S_ISFIFO(mode) else 0
            with suppress(RuntimeError):  # no more threads: it is noticed with the next line
                threading.Thread(target=_await_end, args=(out, asked), daemon=True).start()

    def _await_end(out: int, asked: int) -> None:
        """Hang-ups are told unasked; on macOS those of a pipe are only when asked for.

        Asked for there, a socket hangs up as soon as its other end has no more to send, and a named
        pipe with something in it is answered with nothing (xnu's poll_nocancel).
        """
        waiting = select.poll()
        waiting.register(out, asked)
        if waiting.poll():
            os._exit(exit_codes.OK)
