"""Whose request is read next: the rule."""

from __future__ import annotations

import msgspec
import pytest

from bundlevisor.control.http.fair_turns import AGAIN, FairTurns


class One(msgspec.Struct, eq=False):
    name: str
    asked: int = 0
    trusted: bool = False
    waits: bool = True
    may_go_on: bool = True


def go_round(turns: FairTurns[One]) -> list[str]:
    order = turns.next_round()
    for one in order:
        turns.done(one)
    return [one.name for one in order]


def test_the_token_comes_first_and_then_who_has_asked_least() -> None:
    turns = FairTurns[One]()
    for one in (One("often", asked=9), One("new"), One("ours", asked=50, trusted=True)):
        turns.has_sent(one)
    assert go_round(turns) == ["ours", "new", "often"]


def test_who_had_sent_more_waits_behind_all_who_have_just_sent() -> None:
    turns = FairTurns[One]()
    turns.has_sent(greedy := One("greedy"))
    assert go_round(turns) == ["greedy"]
    turns.has_sent(greedy)  # and goes on sending
    turns.has_sent(One("new", asked=3, waits=False))
    assert go_round(turns) == ["new", "greedy"]


def test_those_who_go_on_have_a_bounded_share_of_a_round_in_turn() -> None:
    turns = FairTurns[One]()
    greedy = [One(str(number)) for number in range(AGAIN + 3)]
    for one in greedy:
        turns.has_sent(one)
    assert len(go_round(turns)) == len(greedy)
    assert go_round(turns) == [one.name for one in greedy[:AGAIN]]
    assert go_round(turns)[:3] == [one.name for one in greedy[AGAIN:]]


def test_who_cannot_go_on_keeps_its_turn_and_wakes_nobody() -> None:
    turns = FairTurns[One]()
    turns.has_sent(busy := One("busy", may_go_on=False))
    assert go_round(turns) == []
    ready = [turns.any_ready]
    busy.may_go_on = True
    assert [*ready, turns.any_ready] == [False, True]
    assert go_round(turns) == ["busy"]


class AnsweredMeanwhile:
    """A thread is done with its answer as soon as it has been asked whether it may go on."""

    asked, trusted, waits = 0, False, True

    def __init__(self) -> None:
        self._looks = iter([False])

    @property
    def may_go_on(self) -> bool:
        """False for who asks first."""
        return next(self._looks, True)


def test_who_is_answered_while_a_round_is_made_is_not_forgotten() -> None:
    turns = FairTurns[AnsweredMeanwhile]()
    turns.has_sent(one := AnsweredMeanwhile())
    assert [*turns.next_round(), *turns.next_round()] == [one]


@pytest.mark.parametrize("may_go_on", [True, False])
def test_who_has_gone_has_no_turn(may_go_on: bool) -> None:
    """Neither who has just sent something, nor who goes on; again is no error."""
    turns = FairTurns[One]()
    turns.has_sent(one := One("gone", may_go_on=may_go_on))
    if not may_go_on:
        assert go_round(turns) == []
        one.may_go_on = True
    turns.forget(one)
    turns.forget(one)
    assert not turns.any_ready
    assert go_round(turns) == []


def test_who_has_nothing_left_has_no_turn_until_it_sends_more() -> None:
    turns = FairTurns[One]()
    turns.has_sent(one := One("one", waits=False))
    assert go_round(turns) == ["one"]
    assert go_round(turns) == []
    turns.has_sent(one)
    assert go_round(turns) == ["one"]
