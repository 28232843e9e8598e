"""The channel between the runtime and its guardian, chosen once for the platform.

``pair()`` returns the runtime's Sender and the End that the guardian makes a Receiver of.
"""

from __future__ import annotations

import sys

if sys.platform == "win32":
    from bundlevisor.actors.guardian.channel_windows import (
        Descriptor,
        ReadEnd,
        Sender,
        duplicate,
        held,
        pair,
    )

    End = ReadEnd
else:
    import socket

    from bundlevisor.actors.guardian.channel_posix import (
        Descriptor,
        Sender,
        duplicate,
        held,
        pair,
    )

    End = socket.socket

__all__ = ["Descriptor", "End", "Sender", "duplicate", "held", "pair"]
