"""Which ports the runtimes of a user have given out: they tell each other by locks.

From the spawn until its program listens a port is bound by nobody, and a program may never listen;
a bind tells another runtime nothing then. So each runtime locks the port's number for as long as
it counts on it: the byte at that offset of an empty file, which all runtimes of the user find.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

if sys.platform == "win32":
    from bundlevisor.actors.files.lock_windows import acquire_byte, open_of_user, release_byte
else:
    from bundlevisor.actors.files.lock_posix import acquire_byte, open_of_user, release_byte

NAME = "bundlevisor-ports"


class PortLocks:
    """The numbers that one runtime counts on, until :meth:`give_up_all` or its end.

    Where there can be no such file, or no locks on it, nobody is kept out by it.
    """

    def __init__(self) -> None:
        self._fd: int | None = None
        self._taken: set[int] = set()

    def take(self, port: int) -> bool:
        """Count on a port; False when another runtime does. Taking twice is no error."""
        if port in self._taken:
            return True
        try:
            if self._fd is None:
                self._fd = open_of_user(NAME)
            if self._fd is not None and not acquire_byte(self._fd, port):
                return False
        except OSError:
            return True
        self._taken.add(port)
        return True

    def give_up(self, port: int) -> None:
        """Count on it no more."""
        if port in self._taken and self._fd is not None:
            self._taken.remove(port)
            with suppress(OSError):
                release_byte(self._fd, port)

    def give_up_all(self) -> None:
        """Count on none any more."""
        fd, self._fd = self._fd, None
        self._taken.clear()
        if fd is not None:
            os.close(fd)
