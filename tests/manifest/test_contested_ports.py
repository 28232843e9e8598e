"""Ports that the system may give to others at any moment: kept, and else given out last."""

from __future__ import annotations

from bundlevisor.manifest.plan.ports import choose
from tests.manifest.test_plan_ports import Machine, demand, given_out

EVEN = range(2000, 3000, 2)


def test_a_contested_port_is_not_chosen_where_there_is_another() -> None:
    machine = Machine({2011})
    wanted = [demand("a", 2010, 2020), demand("b", 2010, 2020)]
    plan = choose(wanted, is_free=machine.is_free, contested=EVEN)
    assert given_out(plan) == {"a": 2013, "b": 2015}
    assert machine.asked == [2011, 2013, 2015]


def test_a_contested_port_is_kept_by_who_had_it() -> None:
    """The data of a page is kept by its address."""
    wanted = [demand("a", 2010, 2020), demand("b", 2010, 2020)]
    before = {("b", "p"): 2010}
    plan = choose(wanted, is_free=Machine().is_free, remembered=before, contested=EVEN)
    assert given_out(plan) == {"a": 2011, "b": 2010}


def test_a_contested_port_is_given_out_where_a_range_has_no_other() -> None:
    machine = Machine({2011})
    wanted = [demand("fixed", 2030, 2030), demand("a", 2010, 2012), demand("b", 2010, 2012)]
    plan = choose(wanted, is_free=machine.is_free, contested=EVEN)
    assert given_out(plan) == {"fixed": 2030, "a": 2010, "b": 2012}
    assert plan.failures == ()
    assert len(machine.asked) == len(set(machine.asked))
