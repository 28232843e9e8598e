"""The words for an error that ends a start: what is short, and who can give more of it."""

from __future__ import annotations

import errno

from bundlevisor.actors.files.told import told

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
    return told(error)
