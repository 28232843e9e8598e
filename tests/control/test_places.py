"""Who makes room for a new connection, told without a clock."""

from __future__ import annotations

import msgspec

from bundlevisor.control.http.places import GRACE_S, who_goes

NOW = 1000.0
PLACES = 8


class One(msgspec.Struct, eq=False):
    name: str
    began_at: float
    trusted: bool = False
    asked: int = 0
    busy: bool = False


def names(*held: One) -> list[str]:
    return [one.name for one in who_goes(held, NOW, PLACES)]


def test_the_longest_idle_goes_first_and_a_new_one_last() -> None:
    new = One("new", NOW - GRACE_S / 2)
    assert names(new, One("idle", NOW - 5), One("oldest", NOW - 9)) == ["oldest", "idle", "new"]


def test_who_is_answered_never_goes() -> None:
    assert names(One("busy", NOW - 60, busy=True)) == []


def test_within_the_grace_who_has_waited_longest_goes_first() -> None:
    fresh = [One(str(number), NOW - number / 100) for number in range(5)]
    assert names(*fresh) == ["4", "3", "2", "1", "0"]


def test_who_has_been_answered_goes_before_who_has_not_asked_yet() -> None:
    held = [One("to ask", NOW - 0.5), One("answered", NOW - 0.1, asked=1), One("idle", NOW - 2)]
    assert names(*held) == ["idle", "answered", "to ask"]


def test_who_has_shown_the_token_goes_after_all_strangers() -> None:
    kept = One("kept", NOW - 60, trusted=True)
    assert names(kept, One("new", NOW), One("idle", NOW - 2)) == ["idle", "new", "kept"]


def test_a_stranger_whose_grace_is_over_goes_before_any_spare_one_with_the_token() -> None:
    kept = [One(f"kept{number}", NOW - 60 + number, trusted=True) for number in range(5)]
    over = One("over", NOW - GRACE_S)
    assert names(*kept, over)[:2] == ["over", "kept0"]
    within = One("within", NOW - GRACE_S / 2)
    assert names(*kept, within)[:2] == ["kept0", "within"]


def test_holders_of_the_token_cannot_keep_out_a_new_one_for_good() -> None:
    kept = [One(f"kept{number}", NOW - 60 + number, trusted=True) for number in range(6)]
    spare = 6 - PLACES // 2
    order = names(*kept, One("new", NOW))
    assert order[: spare + 1] == [*(f"kept{number}" for number in range(spare)), "new"]
