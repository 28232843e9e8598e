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
            with suppress(RuntimeError):  # no more threads: it is noticed with the next line
                threading.Thread(target=_await_end, args=(out,), daemon=True).start()

    def _await_end(out: int) -> None:
        waiting = select.poll()
        waiting.register(out, 0)  # errors and hang-ups are told unasked
        waiting.poll()
        os._exit(exit_codes.OK)
