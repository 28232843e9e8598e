"""How many connections a page has at most, and who makes room for whom: the rule."""

from __future__ import annotations

import pytest

from bundlevisor.actors.ui_server.server.connection_limit import ConnectionLimit, limit_for


class Guest:
    def __init__(self, *, is_being_answered: bool = False) -> None:
        self.is_being_answered = is_being_answered
        self.turned_away = 0

    def turn_away(self) -> None:
        self.turned_away += 1


def test_of_those_over_the_limit_the_longest_there_makes_room_and_who_has_gone_does_not() -> None:
    limit = ConnectionLimit(1, reserved=2)
    inside, gone, longest, other, last = guests = [Guest() for _ in range(5)]
    for guest in (inside, gone, longest):
        limit.enter(guest)
    limit.leave(gone)
    limit.enter(other)
    assert [guest.turned_away for guest in guests] == [0, 0, 0, 0, 0]
    limit.enter(last)
    assert [guest.turned_away for guest in guests] == [0, 0, 1, 0, 0]
    assert [limit.is_over(guest) for guest in (inside, other, last)] == [False, True, True]


@pytest.mark.parametrize(
    ("answered", "goes"),
    [
        ({0}, 1),
        ({1}, 0),
        ({0, 1}, 0),  # and not the third: it may be a check that has had no time to ask
        ({0, 1, 2, 3, 4}, 0),
    ],
)
def test_who_is_just_being_answered_makes_no_room_before_another_of_the_older_half(
    answered: set[int], goes: int
) -> None:
    limit = ConnectionLimit(1, reserved=4)
    limit.enter(Guest())
    guests = [Guest(is_being_answered=number in answered) for number in range(5)]
    for guest in guests:
        limit.enter(guest)
    assert [number for number, guest in enumerate(guests) if guest.turned_away] == [goes]


def test_in_one_round_no_more_come_than_leave_time_for_an_answer() -> None:
    assert [ConnectionLimit(9, reserved=n).at_once for n in (1, 52, 240, 1000)] == [1, 6, 30, 125]


@pytest.mark.parametrize(
    ("most", "descriptors", "inside", "over"),
    [(1000, 4096, 1000, 1000), (1000, 467, 100, 100), (5, 4096, 5, 1000), (9, 10, 1, 1)],
)
def test_a_limit_is_no_higher_than_the_descriptors_allow(
    most: int, descriptors: int, inside: int, over: int
) -> None:
    limit = limit_for(most, descriptors)
    guests = [Guest() for _ in range(inside + over + 1)]
    for guest in guests:
        limit.enter(guest)
    assert [limit.is_over(guest) for guest in guests].count(False) == inside
    assert [guest.turned_away for guest in guests].count(1) == 1
    assert guests[inside].turned_away
    for guest in (guests[0], guests[0], guests[-1]):
        limit.leave(guest)
    late = Guest()
    limit.enter(late)
    assert not limit.is_over(late)
