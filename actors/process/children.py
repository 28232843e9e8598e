"""Starting, watching and ending processes: one interface, chosen once for the platform."""

from __future__ import annotations

import errno
import sys

from bundlevisor.actors.process.spawn_request import SpawnRequest

if sys.platform == "win32":
    from bundlevisor.actors.process.child_windows import (
        LEADER_ALONE,
        SOCKET_ACTIVATION,
        Child,
        encode,
        spawn,
        watch_process,
    )
else:
    from bundlevisor.actors.process.child_posix import (
        LEADER_ALONE,
        SOCKET_ACTIVATION,
        Child,
        encode,
        spawn,
    )
    from bundlevisor.actors.process.exit_event_posix import watch_process

__all__ = [
    "LEADER_ALONE",
    "SHORTAGES",
    "SOCKET_ACTIVATION",
    "Child",
    "SpawnRequest",
    "encode",
    "spawn",
    "watch_process",
]

SHORTAGES = (errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM)
"""What keeps us from starting a process, whatever it is: no descriptor, no process (RLIMIT_NPROC)
and no memory left."""
