"""What a start may be short of: open files, which are counted beforehand; and words for it all."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING

from bundlevisor.actors.files.own_file import error_text

if TYPE_CHECKING:
    from bundlevisor.manifest.format.schema import Manifest

RAISE = "raise the limit (ulimit -n, or the service manager's)"
FILES = f"too many open files for this process: {RAISE}"
PROCESSES = (
    "no more processes or threads may be started: raise the limit on these, or on memory"
    " (ulimit -u, ulimit -v, or the container's)"
)
MEMORY = "not enough memory is to be had (ulimit -v, or the container's limit)"
SHORTAGES = {
    errno.EMFILE: FILES,
    errno.ENFILE: "too many open files on this machine",
    errno.EAGAIN: PROCESSES,
    errno.ENOMEM: MEMORY,
}

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

        try:
            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        except OSError:  # a sandbox refuses to say it: what there is will do
            return ""
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


def shortage(error: BaseException) -> str:
    """Return what was short, with what to do; empty for any other error."""
    if isinstance(error, MemoryError):
        return MEMORY
    if isinstance(error, RuntimeError) and "new thread" in str(error):
        return PROCESSES
    if isinstance(error, OSError):
        return SHORTAGES.get(error.errno or 0, "")
    return ""


def why(error: BaseException) -> str:
    """Return a sentence; for an error of a file with its name: of a rename, that which was wanted.

    An error of another kind is shown as Python does.
    """
    short = shortage(error)
    if short:
        return short
    if not isinstance(error, OSError):
        return str(error) or type(error).__name__
    return error_text(error)
