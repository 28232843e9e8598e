"""How many connections are too many, and how the health check gets an answer among them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Protocol

    class Guest(Protocol):
        """A connection as the limit sees it."""

        @property
        def is_being_answered(self) -> bool:
            """Whether an answer is made for it that takes its time."""

        def turn_away(self) -> None:
            """End, with a word if nothing has been answered yet."""


RESERVED = 1000
"""Connections over the limit that are heard."""

ROUNDS = 8
"""So many rounds of the loop, at least, a connection has before it makes room for others: it takes
some six from its beginning to an answer."""

SPARE_DESCRIPTORS = 64
DESCRIPTORS_EACH = 4
"""One for each connection and one for its API's, one for each that is reserved, one to spare."""


class ConnectionLimit:
    """The connections of a server: up to ``most`` as they like, ``reserved`` more for one answer.

    Who comes when there are enough is heard all the same, so that the health check is answered;
    the longest there makes room for the next. One that is just being answered, as only a health
    check is that is passed on to the API, goes when all of the older half are. Without that a flood
    would have the server, which is well, taken for ill and started anew.
    """

    def __init__(self, most: int, reserved: int = RESERVED) -> None:
        self._most = most
        self._reserved = reserved
        self._inside: set[Guest] = set()
        self._over: dict[Guest, None] = {}

    @property
    def at_once(self) -> int:
        """How many connections may be accepted in one round of the loop."""
        return max(1, self._reserved // ROUNDS)

    def enter(self, guest: Guest) -> None:
        """Let a connection in."""
        if len(self._inside) < self._most:
            self._inside.add(guest)
            return
        self._over[guest] = None
        if len(self._over) > self._reserved:
            longest = next(iter(self._over))
            older = itertools.islice(self._over, self._reserved // 2)
            going = next((one for one in older if not one.is_being_answered), longest)
            del self._over[going]
            going.turn_away()

    def leave(self, guest: Guest) -> None:
        """A connection has ended; again is no error."""
        self._inside.discard(guest)
        self._over.pop(guest, None)

    def is_over(self, guest: Guest) -> bool:
        """Whether a connection is one too many."""
        return guest not in self._inside


def limit_for(most: int, descriptors: int) -> ConnectionLimit:
    """Return a limit that does not use up a process's file descriptors."""
    bearable = max(1, (descriptors - SPARE_DESCRIPTORS) // DESCRIPTORS_EACH)
    return ConnectionLimit(min(most, bearable), min(RESERVED, bearable))
