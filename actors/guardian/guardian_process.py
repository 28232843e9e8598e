"""One guardian as the runtime sees it: a process, and the channel over which it is told."""

from __future__ import annotations

import atexit
import signal
import sys
import time
from contextlib import suppress

from bundlevisor.actors.guardian import starting
from bundlevisor.actors.process import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bundlevisor.actors.guardian.channel import Descriptor, Sender

HOLDS_WHAT_IS_SENT = sys.platform == "darwin"
"""Whether a socket that is on its way has to be held: what only messages hold loses all that is in
it whenever any program closes such a socket (unp_gc in xnu's uipc_usrreq.c)."""


class GuardianProcess:
    """A guardian that is being started, or asked for. ``died`` is the pid of the one it follows."""

    def __init__(self, sender: Sender, died: int = 0) -> None:
        self.sender = sender
        self.died = died
        self.answered = False
        self.pid = 0
        self.created = 0.0
        self._process: starting.Process | None = None
        self._on_its_way: Descriptor | None = None

    def sent(self, end: Descriptor) -> None:
        """Take note that its end of the channel is on its way to who is to fork it."""
        self._on_its_way = end if HOLDS_WHAT_IS_SENT else None

    def arrived(self) -> None:
        """Take note that the end has arrived, or never will."""
        self._on_its_way = None

    def started(self, process: starting.Process) -> None:
        """Take note of its process."""
        self._process = process
        self.pid = process.pid or 0
        self.created = table.created(self.pid) or 0.0
        # Registered after multiprocessing's own, and so called before it: it joins the guardian,
        # which waits for the end of the channel.
        atexit.register(self.sender.close)

    def hear(self) -> bool:
        """Take in what it says; False when it is gone. BlockingIOError: nothing was said."""
        said = self.sender.hear()
        if said is None:
            return False
        self.arrived()
        self.answered = True
        if not self.pid:
            from bundlevisor.actors.guardian.heir import Heir

            self.started(Heir(said))
        return True

    def wake(self) -> None:
        """Have it go on, if somebody has stopped it (POSIX)."""
        if self.pid and sys.platform != "win32":
            with suppress(PermissionError):
                table.send(self.pid, self.created, signal.SIGCONT)

    def dismiss(self, deadline: float) -> bool:
        """Wait for the end of one that was told goodbye; False when it had to be killed."""
        self.arrived()
        gone = self.sender.finish(max(0.05, deadline - time.monotonic()))
        self._end(max(0.05, deadline - time.monotonic()), kill=not gone)
        return gone

    def end(self) -> None:
        """Kill it, and reap it."""
        self._end(1.0, kill=True)

    def close(self) -> None:
        """Close the channel."""
        atexit.unregister(self.sender.close)
        self.sender.close()

    def _end(self, timeout: float, *, kill: bool) -> None:
        if self._process:
            if kill:
                self._process.kill()
            starting.await_end(self._process, timeout)
        self.close()
