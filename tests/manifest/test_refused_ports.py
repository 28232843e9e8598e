"""Ports that browsers refuse: given out only where a range has no other."""

from __future__ import annotations

from bundlevisor.manifest.plan.ports import MOST_SPARED, choose
from tests.manifest.test_plan_ports import Machine, demand, given_out


def test_a_port_that_browsers_refuse_is_passed_over_and_not_even_asked_about() -> None:
    machine = Machine()
    wanted = [demand("a", 6664, 6680), demand("b", 6664, 6680), demand("c", 6679, 6680)]
    plan = choose(wanted, is_free=machine.is_free, remembered={("a", "p"): 6666})
    assert given_out(plan) == {"a": 6664, "b": 6670, "c": 6680}
    assert machine.asked == [6664, 6670, 6680]


def test_a_port_that_browsers_refuse_is_given_out_where_a_range_has_no_other() -> None:
    machine = Machine({6670})
    wanted = [demand("fixed", 6000, 6000), demand("a", 6665, 6671), demand("b", 6665, 6671)]
    plan = choose(wanted, is_free=machine.is_free)
    assert given_out(plan) == {"fixed": 6000, "a": 6671, "b": 6665}
    assert plan.failures == ()
    assert len(machine.asked) == len(set(machine.asked))


def test_a_remembered_port_that_browsers_refuse_is_kept_where_there_is_no_other() -> None:
    wanted = [demand("a", 6665, 6669), demand("b", 6665, 6669)]
    plan = choose(wanted, is_free=Machine().is_free, remembered={("b", "p"): 6665})
    assert given_out(plan) == {"a": 6666, "b": 6665}


def test_who_has_another_port_makes_room_where_that_saves_one_that_browsers_refuse() -> None:
    wanted = [demand("wide", 6669, 6671), demand("narrow", 6669, 6670)]
    plan = choose(wanted, is_free=Machine().is_free)
    assert given_out(plan) == {"wide": 6671, "narrow": 6670}


def test_to_a_crowd_they_are_as_good_as_any_other() -> None:
    def lowest(count: int) -> list[int]:
        wanted = [demand(f"s{number}", 6665, 7000) for number in range(count)]
        return sorted(given_out(choose(wanted, is_free=Machine().is_free)).values())[:2]

    assert lowest(MOST_SPARED) == [6670, 6671]
    assert lowest(MOST_SPARED + 1) == [6665, 6666]
