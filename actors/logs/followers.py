"""Those who read a log along as it is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bundlevisor.actors.loop.reactor import Loop

if TYPE_CHECKING:
    from bundlevisor.actors.logs.follow import Subscription


class Followers:
    """The followers of one log: what each has been given, and what comes, is without a gap.

    All but :meth:`leave` is called on the loop's thread, which writes the file.
    """

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._subscriptions: list[Subscription] = []
        self._ended = False

    def join(self, subscription: Subscription, first: Callable[[], bytes]) -> None:
        """Begin with what ``first`` reads of the file, between what was written and what comes."""
        try:
            subscription.begin(first())
        except OSError as error:
            subscription.begin(f"[bundlevisor: cannot read the log: {error.strerror}]\n".encode())
        if self._ended:
            subscription.end()
        else:
            self._subscriptions.append(subscription)

    def put(self, text: bytes) -> None:
        """Hand on what was written just now."""
        for subscription in self._subscriptions:
            subscription.put(text)

    def leave(self, subscription: Subscription) -> None:
        """Give it nothing more; called on any thread, and again is no error."""
        self._loop.call_soon(lambda: self._drop(subscription))

    def end(self) -> None:
        """End all subscriptions, and those that come later at once."""
        self._ended = True
        for subscription in self._subscriptions:
            subscription.end()
        self._subscriptions.clear()

    def _drop(self, subscription: Subscription) -> None:
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
