"""The choice of ports."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, strategies as st

from bundlevisor.manifest.format.findings import Finding
from bundlevisor.manifest.format.schema import Manifest
from bundlevisor.manifest.plan.ports import (
    REFUSED_BY_BROWSERS,
    Key,
    PortDemand,
    PortPlan,
    choose,
    demands,
    range_of,
    reserved_of,
)


class Machine:
    """Which ports are free, and which were asked about (and are held since)."""

    def __init__(self, busy: set[int] | None = None) -> None:
        self.busy = busy or set()
        self.asked: list[int] = []

    def is_free(self, port: int) -> bool:
        self.asked.append(port)
        return port not in self.busy

    @property
    def held(self) -> set[int]:
        return {port for port in self.asked if port not in self.busy}


def demand(service: str, low: int, high: int, name: str = "p") -> PortDemand:
    return PortDemand(service, name, low, high)


def given_out(plan: PortPlan) -> dict[str, int]:
    return {service: ports["p"] for service, ports in plan.ports.items()}


def test_each_gets_the_lowest_free_of_its_own_range() -> None:
    machine = Machine({2010, 2030})
    plan = choose(
        [demand("a", 2010, 2020), demand("b", 2030, 2040), demand("c", 2010, 2020)],
        is_free=machine.is_free,
    )
    assert given_out(plan) == {"a": 2011, "b": 2031, "c": 2012}
    assert plan.failures == ()


def test_a_range_that_comes_later_and_lies_lower_is_no_problem() -> None:
    machine = Machine()
    plan = choose([demand("a", 2050, 2060), demand("b", 2010, 2020)], is_free=machine.is_free)
    assert given_out(plan) == {"a": 2050, "b": 2010}


def test_reserved_ports_and_the_control_port_are_not_even_asked_about() -> None:
    machine = Machine()
    plan = choose(
        [demand("a", 2010, 2020)], is_free=machine.is_free, reserved=[2010, 2011], control_port=2012
    )
    assert given_out(plan) == {"a": 2013}
    assert machine.asked == [2013]


def test_a_wide_range_makes_room_for_a_narrow_one_in_any_order() -> None:
    wanted = [
        demand("wide", 2010, 2012),
        demand("narrow", 2010, 2010),
        demand("middle", 2010, 2011),
    ]
    for order in itertools.permutations(wanted):
        machine = Machine()
        plan = choose(order, is_free=machine.is_free)
        assert given_out(plan) == {"narrow": 2010, "middle": 2011, "wide": 2012}
        assert machine.held == {2010, 2011, 2012}


def test_the_remembered_port_is_used_again() -> None:
    machine = Machine()
    plan = choose(
        [demand("a", 2010, 2020), demand("b", 2010, 2020)],
        is_free=machine.is_free,
        remembered={("b", "p"): 2010, ("a", "p"): 2015, ("gone", "p"): 2011},
    )
    assert given_out(plan) == {"a": 2015, "b": 2010}


@pytest.mark.parametrize(
    ("remembered", "busy"),
    [(2009, set()), (2021, set()), (2011, {2011}), (2012, set()), (2013, set())],
)
def test_a_remembered_port_that_cannot_be_is_forgotten(remembered: int, busy: set[int]) -> None:
    machine = Machine(busy)
    plan = choose(
        [demand("a", 2010, 2020)],
        is_free=machine.is_free,
        remembered={("a", "p"): remembered},
        reserved=[2012],
        control_port=2013,
    )
    assert given_out(plan) == {"a": 2010}


def test_one_port_remembered_twice_is_given_once() -> None:
    plan = choose(
        [demand("a", 2010, 2020), demand("b", 2010, 2020)],
        is_free=Machine().is_free,
        remembered={("a", "p"): 2012, ("b", "p"): 2012},
    )
    assert given_out(plan) == {"a": 2012, "b": 2010}


def test_a_remembered_port_moves_only_when_another_could_get_none() -> None:
    remembered = {("a", "p"): 2012}
    roomy = [demand("b", 2012, 2013), demand("a", 2010, 2020)]
    assert given_out(choose(roomy, is_free=Machine().is_free, remembered=remembered)) == {
        "b": 2013,
        "a": 2012,
    }
    narrow = [demand("b", 2012, 2012), demand("a", 2010, 2020)]
    assert given_out(choose(narrow, is_free=Machine().is_free, remembered=remembered)) == {
        "b": 2012,
        "a": 2010,
    }


def test_an_exhausted_range_fails_only_who_asked_for_it() -> None:
    machine = Machine({2011})
    plan = choose(
        [
            *(demand("a", 2010, 2014), demand("b", 2010, 2014)),
            msgspec.structs.replace(demand("c", 2010, 2014), path="services[2]"),
            demand("d", 2050, 2050),
        ],
        is_free=machine.is_free,
        reserved=[2012, 2014],
        windows=False,
    )
    assert given_out(plan) == {"a": 2010, "b": 2013, "d": 2050}
    sentence = (
        "service 'c': no free port for 'p': of the 5 in 2010-2014, 1 are in use, 2 are given to"
        " other ports of this bundle and 2 are reserved; widen the range or end what uses them."
    )
    assert plan.failures == (Finding("port_range_exhausted", "services[2]", sentence, "c"),)


@pytest.mark.parametrize(
    ("port", "windows", "said"),
    [
        (1023, False, "1 are in use (or, below 1024, for root alone), 0 are"),
        (1024, False, "1 are in use, 0 are"),
        (1023, True, "1 are in use (or reserved by Windows: netsh "),
    ],
)
def test_a_port_that_the_system_keeps_may_be_free(port: int, windows: bool, said: str) -> None:
    plan = choose([demand("a", port, port)], is_free=Machine({port}).is_free, windows=windows)
    assert said in plan.failures[0].message


def test_everybody_for_whom_a_range_has_nothing_left_is_told() -> None:
    wanted = [demand("a", 2010, 2010), demand("b", 2010, 2010), demand("c", 2010, 2010)]
    plan = choose(wanted, is_free=Machine().is_free)
    assert [failure.service for failure in plan.failures] == ["b", "c"]
    assert plan.unmet == (wanted[1], wanted[2])


@pytest.mark.parametrize("end", [2010, 2012])
def test_a_remembered_port_at_an_end_of_its_range_is_kept_before_others_are_served(
    end: int,
) -> None:
    wanted = [demand("b", 2010, 2012), demand("a", 2010, 2012)]
    plan = choose(wanted, is_free=Machine().is_free, remembered={("a", "p"): end})
    assert given_out(plan) == {"a": end, "b": 2011 if end == 2010 else 2010}


def test_what_was_given_to_others_before_is_not_asked_about_and_counts_as_given() -> None:
    machine = Machine()
    plan = choose([demand("c", 2010, 2011)], is_free=machine.is_free, given={2010, 2011})
    assert machine.asked == []
    assert [item.key for item in plan.unmet] == [("c", "p")]
    assert (
        "2 are given to other ports of this bundle and 0 are reserved" in plan.failures[0].message
    )


def test_an_inverted_range_fails_alone() -> None:
    plan = choose([demand("a", 2020, 2010), demand("b", 2001, 2001)], is_free=Machine().is_free)
    assert given_out(plan) == {"b": 2001}
    assert [failure.service for failure in plan.failures] == ["a"]


def test_a_service_with_several_ports_has_them_by_name() -> None:
    wanted = [demand("a", 2010, 2020, "http"), demand("a", 2010, 2020, "admin")]
    plan = choose(wanted, is_free=Machine().is_free)
    assert plan.ports == {"a": {"http": 2010, "admin": 2011}}


def test_a_crowd_for_one_range_is_served_and_the_rest_fails() -> None:
    wanted = [demand(f"s{number}", 1000, 1999) for number in range(1200)]
    machine = Machine()
    plan = choose(wanted, is_free=machine.is_free)
    assert len(plan.ports) == 1000
    assert len(plan.failures) == 200
    assert len(machine.asked) == 1000


def test_the_demands_of_a_bundle_have_their_ranges(manifest_of: Callable[..., Manifest]) -> None:
    requested = [{"name": "x", "range": {"min": 5, "max": 6}}, {"name": "y"}]
    service = {"id": "a", "ports": {"requested": requested}}
    plain = manifest_of(service)
    assert [(item.key, item.low, item.high) for item in demands(plain)] == [
        (("a", "x"), 5, 6),
        (("a", "y"), 47000, 48000),
    ]
    ruled = manifest_of(
        service, ports={"default_range": {"min": 7, "max": 9}, "reserved": [47710, 8]}
    )
    assert [(item.low, item.high) for item in demands(ruled)] == [(5, 6), (7, 9)]
    assert range_of(ruled.services[0].port_requests[1], ruled) == (7, 9)
    assert reserved_of(ruled) == {47710, 8}
    assert reserved_of(plain) == frozenset()
    assert demands(ruled)[1].path == "services[0].ports.requested[1]"


PORTS = st.integers(1, 8)
"""Among them 1 and 7, which browsers refuse."""
DEMANDS = st.lists(st.tuples(PORTS, PORTS), max_size=8).map(
    lambda pairs: [demand(f"s{n}", min(pair), max(pair)) for n, pair in enumerate(pairs)]
)


def most_that_can_be_served(wanted: list[PortDemand], usable: set[int]) -> int:
    """Serve greedily by the end of the range: optimal for intervals."""
    left = set(usable)
    served = 0
    for item in sorted(wanted, key=lambda item: item.high):
        fitting = [port for port in sorted(left) if item.low <= port <= item.high]
        if fitting:
            left.remove(fitting[0])
            served += 1
    return served


@given(
    DEMANDS,
    st.sets(PORTS),
    st.sets(PORTS),
    st.none() | PORTS,
    st.dictionaries(st.integers(0, 7), PORTS),
)
def test_the_choice_keeps_every_promise(
    wanted: list[PortDemand],
    busy: set[int],
    reserved: set[int],
    control: int | None,
    before: dict[int, int],
) -> None:
    machine = Machine(busy)
    remembered: dict[Key, int] = {(f"s{number}", "p"): port for number, port in before.items()}
    plan = choose(
        wanted,
        is_free=machine.is_free,
        remembered=remembered,
        reserved=reserved,
        control_port=control,
    )
    ports = given_out(plan)
    by_service = {item.service: item for item in wanted}
    assert len(set(ports.values())) == len(ports)
    assert len(machine.asked) == len(set(machine.asked))
    assert machine.held == set(ports.values())
    for service, port in ports.items():
        assert by_service[service].low <= port <= by_service[service].high
        assert port not in busy | reserved | {control}
    assert {failure.service for failure in plan.failures} == set(by_service) - set(ports)
    usable = set(range(1, 9)) - busy - reserved - {control}
    assert len(ports) == most_that_can_be_served(wanted, usable)
    for_windows = len(set(ports.values()) - REFUSED_BY_BROWSERS)
    assert for_windows == most_that_can_be_served(wanted, usable - REFUSED_BY_BROWSERS)
    again = choose(
        wanted,
        is_free=Machine(busy).is_free,
        remembered={(service, "p"): port for service, port in ports.items()},
        reserved=reserved,
        control_port=control,
    )
    assert given_out(again) == ports
