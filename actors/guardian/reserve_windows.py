"""No guardian in reserve on Windows: the kernel ends the services' job with its last holder.

A dead guardian is followed at once by a new one; should both die, nothing is left either.
"""

from __future__ import annotations

import sys

from bundlevisor.actors.guardian import channel_windows

assert sys.platform == "win32"  # noqa: S101 - mypy reads what follows for Windows only

Receiver = channel_windows.Receiver


class Elder:
    """Nobody is forked here, so nobody has an elder."""

    def finished(self) -> bool:
        """Return that there is nothing to wait for."""
        return False


class Heirs:
    """Nobody."""

    elder: Elder | None = None
    relay = -1

    def fork(self, channel: int, ours: Receiver) -> tuple[Receiver, Heirs] | None:  # noqa: ARG002
        """Do nothing; never asked for."""
        return None

    def tell_done(self) -> None:
        """Tell nobody."""

    def wake(self) -> None:
        """Wake nobody."""
