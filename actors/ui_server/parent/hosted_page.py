"""One page in a process that it shares with others, as the tree that its actor has started."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bundlevisor.actors.loop.reactor import Loop

DROP_WITHIN = 0.5
"""Seconds for the process to cut a page off; one that does not stands still, and is killed."""


class Host(Protocol):
    """The process, as its pages see it."""

    @property
    def pid(self) -> int:
        """Its pid."""

    @property
    def created(self) -> float:
        """When it was born."""

    def set_upstream(self, page: HostedPage, port: int | None) -> None:
        """Tell where a page's API is."""

    def remove(self, page: HostedPage) -> None:
        """Have a page finish what is under way."""

    def drop(self, page: HostedPage) -> None:
        """Have a page cut off."""

    def kill(self) -> None:
        """End the process, and all its pages with it."""

    def waits_for(self, page: HostedPage) -> bool:
        """Whether something is left that ends with this page: itself, or the process."""


class HostedPage:
    """A :class:`ProcessTree`, and the way to its server; used on the events loop only."""

    session = 0
    """The process has one, which is not this page's alone."""

    def __init__(
        self, host: Host, instance: str, let_go: Callable[[], object] = lambda: None
    ) -> None:
        """``let_go`` closes what was handed over, once it has arrived or is not needed."""
        self.pid = host.pid
        self.created = host.created
        self.instance = instance
        self._host = host
        self._let_go: Callable[[], object] | None = let_go
        self._status: int | None = None
        self._on_exit: Callable[[], object] | None = None
        self._dropped_at: float | None = None

    @property
    def child(self) -> HostedPage:
        """The tree that it is to its actor: itself."""
        return self

    def poll(self) -> int | None:
        """Return the status with which it was gone; None while it is served."""
        return self._status

    def watch_exit(self, loop: Loop, on_exit: Callable[[], None]) -> None:
        """Call ``on_exit`` when it is gone, on the loop's thread; who asks last is told."""
        if self._status is None:
            self._on_exit = on_exit
        else:
            loop.call_soon(on_exit)

    def survivors(self) -> list[int]:
        """Return the process while the page is in it; after the last page, until it has ended."""
        return [self.pid] if self._host.waits_for(self) else []

    def owns(self, pid: int) -> bool:
        """Whether this is the process."""
        return pid == self.pid

    def ask_to_stop(self, signal_name: str, *, leader_only: bool = False) -> bool:  # noqa: ARG002
        """Have it finish, whatever the signal: that would be for all pages."""
        self.stop()
        return True

    def stop(self) -> None:
        """Have it finish what is under way."""
        self._host.remove(self)

    def set_upstream(self, port: int | None) -> None:
        """Tell it where its API listens now."""
        self._host.set_upstream(self, port)

    def kill(self) -> None:
        """Cut it off; when that does not help, or the process is all that is left, end that."""
        if not self._host.waits_for(self):
            return
        now = time.monotonic()
        if self._status is None and self._dropped_at is None:
            self._dropped_at = now
            self._host.drop(self)
        elif self._status is not None or now >= (self._dropped_at or 0) + DROP_WITHIN:
            self._host.kill()

    def close(self) -> None:
        """Nothing is kept for it."""

    def arrived(self) -> None:
        """It is served: what was handed over is the process's own by now."""
        let_go, self._let_go = self._let_go, None
        if let_go is not None:
            let_go()

    def gone(self, status: int) -> None:
        """It is served no longer; told once."""
        self.arrived()
        self._status = status
        on_exit, self._on_exit = self._on_exit, None
        if on_exit is not None:
            on_exit()
