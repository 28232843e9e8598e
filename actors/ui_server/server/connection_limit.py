"""How many connections are too many, and how the health check gets an answer among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Protocol

    class Guest(Protocol):
        """A connection as the limit sees it."""

        def turn_away(self) -> None:
            """End, with a word if nothing has been answered yet."""


RESERVED = 1000
"""Connections over the limit that are heard: more than come while one of them is answered, which
takes some six rounds of the loop, and each accepts at most its backlog (of 128)."""

SPARE_DESCRIPTORS = 64
DESCRIPTORS_EACH = 4
"""One for each connection and one for its API's, one for each that is reserved, one to spare."""


class ConnectionLimit:
    """The connections of a server: up to ``most`` as they like, ``reserved`` more for one answer.

    Who comes when there are enough is heard all the same, so that the health check is answered;
    the longest there makes room for the next. Without that a flood would have the server, which is
    well, taken for ill and started anew.
    """

    def __init__(self, most: int, reserved: int = RESERVED) -> None:
        self._most = most
        self._reserved = reserved
        self._inside: set[Guest] = set()
        self._over: dict[Guest, None] = {}

    def enter(self, guest: Guest) -> None:
        """Let a connection in."""
        if len(self._inside) < self._most:
            self._inside.add(guest)
            return
        self._over[guest] = None
        if len(self._over) > self._reserved:
            longest = next(iter(self._over))
            del self._over[longest]
            longest.turn_away()

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
