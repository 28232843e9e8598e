"""A page's socket and log on their way into a server that runs: behind ``AddPage``, in its pipe."""

from __future__ import annotations

import sys

if sys.platform == "win32":
    from bundlevisor.actors.ui_server.handover_windows import hand_over, take_over
else:
    from bundlevisor.actors.ui_server.handover_posix import hand_over, take_over

__all__ = ["hand_over", "take_over"]
