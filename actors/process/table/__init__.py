"""Facts about processes, and a signal that never reaches the wrong one; chosen once a platform.

``created`` is an opaque number that tells a process from a later one with the same pid: compare it
for equality (on Linux alone it says as well which process is older). This package imports next to
nothing, because the guardian carries it all its life.
"""

from __future__ import annotations

import sys

if sys.platform == "linux":
    from bundlevisor.actors.process.table.linux import (
        alive,
        census,
        created,
        hidden,
        mark_of,
        parent_of,
        send,
        status_of,
    )
elif sys.platform == "win32":
    from bundlevisor.actors.process.table.by_psutil import hidden, mark_of, parent_of
    from bundlevisor.actors.process.table.windows import (
        alive,
        census,
        created,
        send,
        status_of,
    )
else:
    from bundlevisor.actors.process.table.by_psutil import (
        alive,
        census,
        created,
        hidden,
        mark_of,
        parent_of,
        send,
        status_of,
    )

__all__ = [
    "alive",
    "census",
    "created",
    "hidden",
    "mark_of",
    "may_be_alive",
    "parent_of",
    "send",
    "status_of",
]


def may_be_alive(pid: int, created: float) -> bool:
    """Whether the process is alive, or one with its pid is hidden, which may be it."""
    return alive(pid, created) or hidden(pid)
