"""The guardian as the services' actors see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bundlevisor.actors.guardian.guarded import GuardedProcess


class Guardian(Protocol):
    """The runtime's end of the other process, which ends what this one leaves behind."""

    def expect(self, guarded: GuardedProcess, read_fd: int = -1) -> None:
        """Say that a process is about to be started; ``read_fd`` of its log pipe is duplicated."""

    def spawned(self, instance: str, pid: int, created: float, session: int) -> None:
        """Say that it has been started."""

    def forget(self, instance: str) -> None:
        """Say that no process of this start is left, or that there never was one."""

    def own(
        self, path: str, containing: bytes = b"", *, last: bool = False, named: bool = False
    ) -> None:
        """Have a file removed if the runtime dies; ``named``: by its name, before it is there."""

    def disown(self, path: str) -> None:
        """Leave a file alone."""
