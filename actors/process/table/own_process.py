"""What a process of ours asks of the kernel for itself: prctl(2). Linux; nothing elsewhere.

ctypes costs ten milliseconds to import, before the first spawn; what it is made of, without its
types, half of one.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PR_SET_CHILD_SUBREAPER = 36


class Adoption:
    """Whether orphans of the services become children of the runtime: from the first spawn on."""

    active = False


if sys.platform == "linux":

    def adopt_orphans() -> bool:
        """Become the parent of all that is orphaned below this process; False when refused.

        Before the first spawn: what is orphaned before that is never found again, if it does not
        want to be.
        """
        Adoption.active = _prctl(PR_SET_CHILD_SUBREAPER, 1)
        return Adoption.active

    def _prctl(option: int, argument: int) -> bool:
        try:
            foreign: Any = __import__("_ctypes")
            call = foreign.dlsym(foreign.dlopen(None, 0), "prctl")
            done: int = foreign.call_function(call, (option, argument, 0, 0, 0))
        except (ImportError, AttributeError, OSError):
            return False  # an interpreter without libffi
        return done == 0

else:

    def adopt_orphans() -> bool:
        """Adopt nothing: orphans go to the system's first process (macOS) or to nobody."""
        return False
