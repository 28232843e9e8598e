"""The ports that services did not get, and who cannot start without them."""

from __future__ import annotations

from bundlevisor.actors.ports.shortages import Shortage, Shortages, shortages_of
from bundlevisor.manifest.plan.graph import Graph
from tests.manifests import needing

SHORT = Shortage(("http",), "no port", "There is no port left.")
NAMED_BY = {"db": {"api", "web"}, "mail": {"web"}}


def test_who_names_the_ports_of_several_in_vain_lacks_them_all_in_start_order() -> None:
    graph = Graph.of(needing(db="", mail="db", api="", web="api"))
    asked: list[tuple[str, tuple[str, ...]]] = []

    def users(id_: str, names: tuple[str, ...]) -> frozenset[str]:
        asked.append((id_, names))
        return frozenset(NAMED_BY[id_])

    found = {"mail": SHORT, "db": SHORT}
    shortages = shortages_of(found, graph, users)
    assert shortages == Shortages(found, {"api": ("db",), "web": ("db", "mail")})
    assert asked == [("db", ("http",)), ("mail", ("http",))]
    assert shortages.behind(graph, ["web"]) == ["db", "mail"]
    assert shortages.behind(graph, ["api"]) == ["db"]
    assert shortages.behind(graph, ["mail"]) == ["mail"]
    assert Shortages().behind(graph, ["db", "web"]) == []
