"""What a service's actor sees of what it has started: a process and all that came out of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from bundlevisor.actors.loop.reactor import Loop


class ProcessTree(Protocol):
    """A child of whichever platform, or a page in a process that it shares with others."""

    @property
    def pid(self) -> int:
        """The leader's."""

    @property
    def created(self) -> float:
        """When the leader was born: it tells a pid that is another's by now."""

    @property
    def session(self) -> int:
        """By which the guardian finds the tree; 0 where it has none of its own."""

    @property
    def instance(self) -> str:
        """The SERVICE_INSTANCE_ID of the start."""

    def poll(self) -> int | None:
        """Return the leader's exit status if it has ended, negative for a signal, else None."""

    def watch_exit(self, loop: Loop, on_exit: Callable[[], None]) -> None:
        """Call ``on_exit`` once when the leader has ended, from whichever thread."""

    def survivors(self) -> list[int]:
        """Return the pids of the tree that are alive."""

    def owns(self, pid: int) -> bool:
        """Whether a process is one of the tree."""

    def ask_to_stop(self, signal_name: str, *, leader_only: bool = False) -> bool:
        """Ask it to end; False when it cannot be asked."""

    def kill(self) -> None:
        """End all of it at once; already gone is success, and so is again."""

    def close(self) -> None:
        """Say that nothing of the tree is left."""
