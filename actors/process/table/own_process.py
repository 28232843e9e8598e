"""What a process of ours asks for itself of kernel and C library. Linux; nothing elsewhere.

ctypes costs ten milliseconds to import, before the first spawn; what it is made of, without its
types, half of one.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PR_SET_DUMPABLE = 4
PR_SET_NAME = 15
PR_SET_CHILD_SUBREAPER = 36
M_ARENA_MAX = -8
"""glibc's malloc.h."""


class Adoption:
    """Whether orphans of the services become children of the runtime: from the first spawn on."""

    active = False


if sys.platform == "linux":

    def adopt_orphans() -> None:
        """Become the parent of all that is orphaned below this process, if that is not refused.

        Before the first spawn: what is orphaned before that is never found again, if it does not
        want to be. Nothing is adopted by a kernel that does not list a process's children, either
        (CONFIG_PROC_CHILDREN, gVisor).
        """
        listed = os.path.exists(f"/proc/self/task/{os.getpid()}/children")
        Adoption.active = listed and _prctl(PR_SET_CHILD_SUBREAPER, 1)

    def hide_memory() -> None:
        """Keep other processes of this user from reading this one's memory and environment.

        No core file is written either. What is forked is hidden too; what is executed is not.
        """
        _prctl(PR_SET_DUMPABLE, 0)

    def take_name(name: bytes) -> None:
        """Be called so in the process table; at most 15 bytes."""
        _prctl(PR_SET_NAME, name)

    def share_heap() -> None:
        """Have all threads allocate from one heap: before there is a second one.

        glibc makes one of its own for each of them, so that none waits for another; of ours only
        one runs at a time. In eight threads' heaps 0.25 MiB lie idle.
        """
        _call("mallopt", M_ARENA_MAX, 1)

    def _prctl(option: int, argument: int | bytes) -> bool:
        return _call("prctl", option, argument, 0, 0, 0) == 0

    def _call(function: str, *arguments: int | bytes) -> int | None:
        """Return what a function of the C library does; None where it cannot be called."""
        try:
            foreign: Any = __import__("_ctypes")
            call = foreign.dlsym(foreign.dlopen(None, 0), function)
            done: int = foreign.call_function(call, arguments)
        except (ImportError, AttributeError, OSError):
            return None  # an interpreter without libffi, or another library
        return done

else:

    def adopt_orphans() -> None:
        """Adopt nothing: orphans go to the system's first process (macOS) or to nobody."""

    def hide_memory() -> None:
        """Hide nothing: macOS asks for a right, Windows does not keep a user from his own."""

    def take_name(name: bytes) -> None:
        """Be called as before."""

    def share_heap() -> None:
        """Leave it to the system."""
