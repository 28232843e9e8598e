"""Other ports for who has lost some, and for who got none: what is so, and what is said."""

from __future__ import annotations

from bundlevisor.actors.ports import reallocation
from bundlevisor.actors.ports.reallocation import MOVES, Allotment, Move, allot
from bundlevisor.actors.ports.shortages import Shortage
from bundlevisor.manifest.plan.graph import Graph
from tests.manifests import needing

GRAPH = Graph.of(needing(db="", api="db", web="api"))
PORTS = {"db": {"sql": 1, "admin": 2}, "api": {"http": 3}}
SHORT = Shortage(("http",), "range 3-3 is used up", "service 'api': no free port")


def users(id_: str, names: tuple[str, ...]) -> frozenset[str]:
    return frozenset({"web"}) if (id_, names) == ("api", ("http",)) else frozenset()


def test_a_lost_port_has_another_number_and_the_others_keep_theirs() -> None:
    chosen = {**PORTS, "db": {"sql": 9, "admin": 2}}
    after, moves = reallocation.moved(Allotment(PORTS), "db", ("sql",), chosen)
    assert moves == [Move("sql", 9, 1)]
    assert (after.of("db"), after.of("api")) == ({"sql": 9, "admin": 2}, {"http": 3})


def test_after_so_many_moves_no_other_port_is_chosen_until_somebody_starts_the_service() -> None:
    table = Allotment(PORTS)
    for _ in range(MOVES):
        assert reallocation.refusal(table, "db", ("sql",)) == ""
        table, _moves = reallocation.moved(table, "db", ("sql",), PORTS)
    assert reallocation.refusal(table, "db", ("sql", "admin")) == (
        "port 1 ('sql'), 2 ('admin') is taken by another program; 3 other choices were too"
    )
    assert reallocation.refusal(table, "api", ("http",)) == ""
    assert reallocation.refusal(reallocation.reset(table, ["db"]), "db", ("sql",)) == ""
    assert reallocation.refusal(reallocation.reset(table, ["api"]), "db", ("sql",)) != ""


def test_a_range_without_a_free_port_is_said_so() -> None:
    assert reallocation.exhausted(Allotment(PORTS), "api", ("http",)) == (
        "port 3 ('http') is taken by another program, and its range has no free port"
    )


def test_who_is_short_stands_behind_all_that_need_it_or_name_its_port() -> None:
    table = allot({"db": PORTS["db"]}, {"api": SHORT}, GRAPH, users)
    assert table.shortages is not None
    assert table.shortages.lacking == {"web": ("api",)}
    assert table.behind(GRAPH, ["web"]) == ["api"]
    assert table.behind(GRAPH, ["db"]) == []
    assert table.conflict(["db", "api"]) == "service 'api': no free port"
    assert table.conflict(["db"]) == ""


def test_a_search_ends_a_shortage_or_says_what_is_missing_now() -> None:
    table = allot({"db": PORTS["db"]}, {"api": SHORT}, GRAPH, users)
    still = Shortage(("http",), "range 3-4 is used up", "another sentence")
    after, names = reallocation.searched(table, "api", table.ports, still, GRAPH, users)
    assert (names, after.conflict(["api"])) == ((), "another sentence")
    after, names = reallocation.searched(after, "api", PORTS, None, GRAPH, users)
    assert (names, after.shortages, after.of("api")) == (("http",), None, {"http": 3})
