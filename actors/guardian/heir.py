"""A guardian that another guardian has forked, as a process that the runtime can end and reap."""

from __future__ import annotations

import os
import sys

from bundlevisor.actors.process import table

SIGKILL = 9


class Heir:
    """A guardian that another one forked: no child of ours, or an adopted one."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._created = table.created(pid)

    def kill(self) -> None:
        """End it at once; gone is success."""
        if self._created is not None:
            table.send(self.pid, self._created, SIGKILL)

    @property
    def exitcode(self) -> int | None:
        """None while it lives; reaps it if it is for us to do so."""
        if self._created is None or _is_reaped(self.pid):
            return 0
        return None if table.alive(self.pid, self._created) else 0


if sys.platform == "win32":

    def _is_reaped(pid: int) -> bool:  # noqa: ARG001
        """Return False: nobody is forked."""
        return False

else:

    def _is_reaped(pid: int) -> bool:
        """Reap it, if that is for us to do, and it has ended."""
        try:
            return os.waitpid(pid, os.WNOHANG)[0] == pid
        except OSError:
            return False  # its parent is another guardian, or the system's first process
