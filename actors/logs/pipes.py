"""The pipes that services write their output to, chosen once for the platform.

``make()`` returns (read end, write end), neither inherited by other programs: the read end for a
:class:`PipeReader`, the write end for the service. ``holders(fd)`` says which processes can still
write to it.
"""

from __future__ import annotations

import sys

if sys.platform == "win32":
    from bundlevisor.actors.logs.pipes_windows import PipeReader, holders, make
else:
    from bundlevisor.actors.logs.pipes_posix import PipeReader, holders, make

__all__ = ["PipeReader", "holders", "make"]
