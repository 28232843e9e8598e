"""The platform's part of the guardian, chosen once: the same names everywhere."""

from __future__ import annotations

import sys

if sys.platform == "win32":
    from bundlevisor.actors.guardian.reserve_windows import Heirs
    from bundlevisor.actors.guardian.system_windows import (
        ExitWatch,
        Receiver,
        ask,
        census,
        holders,
        isolate,
        kill,
        read,
        tell_system_log,
    )
else:
    from bundlevisor.actors.guardian.reserve_posix import Heirs
    from bundlevisor.actors.guardian.system_posix import (
        ExitWatch,
        Receiver,
        ask,
        census,
        holders,
        isolate,
        kill,
        read,
        tell_system_log,
    )

__all__ = [
    "ExitWatch",
    "Heirs",
    "Receiver",
    "ask",
    "census",
    "holders",
    "isolate",
    "kill",
    "read",
    "tell_system_log",
]
