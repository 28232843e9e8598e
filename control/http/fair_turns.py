"""Whose request is read next: one request a turn, however many a client has sent at once."""

from __future__ import annotations

from itertools import islice
from typing import Generic, Protocol, TypeVar

AGAIN = 16
"""So many of those that go on with what they had sent before get a turn in one round."""


class Turn(Protocol):
    """A connection, as far as its turn is concerned."""

    trusted: bool
    """Whether a request with the token has come on it."""
    asked: int
    """How many requests have come on it."""

    @property
    def waits(self) -> bool:
        """Whether something of it has come that is not read yet."""

    @property
    def may_go_on(self) -> bool:
        """Whether it may be read now: what it had asked before is answered, and the answer sent."""


Taker = TypeVar("Taker", bound=Turn)


class FairTurns(Generic[Taker]):
    """The connections of which something has come.

    In each round first everybody that has just sent something has one turn: those with the token,
    then who has asked least so far. Then come, in turn, at most ``AGAIN`` of those that had sent
    more than one request at once. So nobody waits for more than one request of each other client.
    """

    def __init__(self) -> None:
        self._fresh: dict[Taker, None] = {}
        self._again: dict[Taker, None] = {}

    @property
    def any_ready(self) -> bool:
        """Whether somebody who has had a turn could have another one now."""
        return any(one.may_go_on for one in self._again)

    def has_sent(self, one: Taker) -> None:
        """Note that something has come; who is going on with what came before keeps its place."""
        if one not in self._again:
            self._fresh[one] = None

    def forget(self, one: Taker) -> None:
        """Note that a connection has gone."""
        self._fresh.pop(one, None)
        self._again.pop(one, None)

    def next_round(self) -> list[Taker]:
        """Return who has a turn in this round, in order; :meth:`done` is told of each.

        Each is asked once whether it may go on: a thread that has just sent its answer may let it
        between one question and the next.
        """
        fresh, self._fresh = self._fresh, {}
        ready: list[Taker] = []
        later: list[Taker] = []
        for one in fresh:
            (ready if one.may_go_on else later).append(one)
        ready.sort(key=lambda one: (not one.trusted, one.asked))
        going_on = list(islice((one for one in self._again if one.may_go_on), AGAIN))
        self._again.update(dict.fromkeys(later))
        return ready + going_on

    def done(self, one: Taker) -> None:
        """Note that a connection has had its turn: what it has left waits behind all others."""
        self._again.pop(one, None)
        if one.waits:
            self._again[one] = None
