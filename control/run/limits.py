"""How many open files a bundle takes, and that this process may have them."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from bundlevisor.control.run.why import RAISE

if TYPE_CHECKING:
    from bundlevisor.manifest.format.schema import Manifest

OF_OURS = 44
"""Open files of the runtime itself: 37 when it rests, and some for clients, imports and checks."""
OF_A_SERVICE = 4
"""Its output, the spare end of that for the guardian, its log, its process; ports come on top."""
OF_A_PORT = 2
"""Until its service takes it, a port is held on IPv4 and on IPv6."""
ORDINARY = 1024
"""The limit on open files that most systems give."""
SPARE = 8
"""Open files that an orderly stop may need beside those that it closes."""


def files_for(manifest: Manifest) -> int:
    """Return how many open files it takes to run all services."""
    ports = sum(len(service.port_requests) for service in manifest.services)
    return OF_OURS + SPARE + OF_A_SERVICE * len(manifest.services) + OF_A_PORT * ports


class SpareFiles:
    """Descriptors that are kept so that an orderly stop has some, however few there are."""

    def __init__(self) -> None:
        self._fds = [os.open(os.devnull, os.O_RDONLY)]
        try:
            while len(self._fds) < SPARE:
                self._fds.append(os.dup(self._fds[0]))
        except OSError:
            self.release()
            raise

    def release(self) -> None:
        """Let them be used."""
        while self._fds:
            os.close(self._fds.pop())


if sys.platform == "win32":

    def make_room(_files: int) -> str:
        """Do nothing: Windows has no limit on open files. Returns an empty sentence."""
        return ""

else:

    def make_room(files: int) -> str:
        """Allow this process so many open files; return why that cannot be, or nothing.

        Services inherit the limit; it is raised only where it is too low.
        """
        if os.sysconf("SC_OPEN_MAX") >= files:  # the soft limit; without an import
            return ""
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft == resource.RLIM_INFINITY or soft >= files:
            return ""
        if hard != resource.RLIM_INFINITY and hard < files:
            return f"the bundle needs {files} open files, and this process may have {hard}: {RAISE}"
        wanted = max(files, ORDINARY)
        if hard != resource.RLIM_INFINITY:
            wanted = min(wanted, hard)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError) as error:
            return f"the bundle needs {files} open files, and this process may have {soft}: {error}"
        return ""
