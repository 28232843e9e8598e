"""Who makes room when there are too many connections."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

GRACE_S = 1.0
"""So long a connection has to say what it wants before it counts as idle."""


class Place(Protocol):
    """A connection, as far as its place is concerned."""

    trusted: bool
    """Whether a request with the token has come on it."""
    asked: int
    """How many requests have come on it."""
    began_at: float
    """Since when it is waited for (monotonic): for a request, or for an answer to be read."""

    @property
    def busy(self) -> bool:
        """Whether it is being answered."""


Holder = TypeVar("Holder", bound=Place)


def who_goes(held: Iterable[Holder], now: float, most: int) -> list[Holder]:
    """Return the connections that may be closed for new ones, the first to go first.

    1. strangers (no token so far) that have been answered, or have had their second of grace, the
       longest idle first;
    2. the idle ones with the token, as far as they hold more than half of the ``most`` places;
    3. strangers within their grace, the longest waiting first: a client sends its request with
       its connection, so who has waited longest is the least likely to mean anything;
    4. the other ones with the token.

    One that is being answered never goes.
    """
    idle = sorted((one for one in held if not one.busy), key=lambda one: one.began_at)
    spare = sum(one.trusted for one in idle) - most // 2
    ranks: dict[int, list[Holder]] = {1: [], 2: [], 3: [], 4: []}
    for one in idle:
        late = now - one.began_at >= GRACE_S
        if not one.trusted:
            ranks[1 if late or one.asked else 3].append(one)
        elif late and spare > 0:
            spare -= 1
            ranks[2].append(one)
        else:
            ranks[4].append(one)
    return ranks[1] + ranks[2] + ranks[3] + ranks[4]
