"""The platform's part of the guardian, chosen once: the same names everywhere."""

from __future__ import annotations

import sys

if sys.platform == "win32":
    from actors.guardian.reserve_windows import Heirs
    from actors.guardian.windows import (
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
    from actors.guardian.posix import (
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
    from actors.guardian.reserve_posix import Heirs

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
