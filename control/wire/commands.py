"""What every command to the supervisor has in common: when it is refused, how long it may take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundlevisor.actors.core.snapshot import Phase
from bundlevisor.control.wire.errors import Refusal

if TYPE_CHECKING:
    from bundlevisor.actors.core.snapshot import Snapshot

COMMAND_TIMEOUT_S = 5.0
"""How long the supervisor may take to say yes or no. It never blocks: longer is our error."""


def refuse_while_stopping(snapshot: Snapshot) -> None:
    """Raise Refusal 503 when the orderly stop has begun."""
    if snapshot.phase is not Phase.RUNNING:
        raise stopping()


def stopping() -> Refusal:
    """Return the Refusal of what comes after somebody has asked for the end."""
    return Refusal(503, "stopping", "the runtime is stopping and takes no more commands")


def no_answer() -> Refusal:
    """Return the Refusal for a supervisor that did not answer in time."""
    sentence = f"the supervisor did not answer in {COMMAND_TIMEOUT_S:.0f} s; the command may follow"
    return Refusal(503, "no_answer", sentence)
