"""Starting, watching and ending processes: one interface, chosen once for the platform."""

from __future__ import annotations

import sys

from actors.process.launch import INSTANCE_MARK, Launch

if sys.platform == "win32":
    from actors.process.windows import SOCKET_ACTIVATION, Child, spawn, watch_exit, watch_process
else:
    from actors.process.posix import SOCKET_ACTIVATION, Child, spawn
    from actors.process.posix_exit import watch_exit, watch_process

__all__ = [
    "INSTANCE_MARK",
    "SOCKET_ACTIVATION",
    "Child",
    "Launch",
    "spawn",
    "watch_exit",
    "watch_process",
]
