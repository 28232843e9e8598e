"""Start order, stop order, dependents, cycles."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given, strategies as st

from bundlevisor.manifest.format.schema import Manifest, Service
from bundlevisor.manifest.plan.graph import DependencyCycle, Graph, edges, find_cycle, reverse
from tests.manifests import manifest_of


def bundle_of(dependencies: dict[str, list[str]]) -> Manifest:
    return manifest_of(
        *(Service(id=id_, dependencies=wanted) for id_, wanted in dependencies.items())
    )


DIAMOND = bundle_of({"ui": ["api", "auth"], "api": ["db"], "auth": ["db"], "db": [], "lone": []})


def test_services_start_after_what_they_need_else_in_the_manifests_order() -> None:
    graph = Graph.of(DIAMOND)
    assert graph.start_order == ("db", "api", "auth", "ui", "lone")
    assert graph.stop_order == ("lone", "ui", "auth", "api", "db")
    assert graph.waves == (("db", "lone"), ("api", "auth"), ("ui",))
    assert Graph.of(bundle_of({})).waves == ()


def test_dependents_and_dependencies_near_and_far() -> None:
    graph = Graph.of(DIAMOND)
    assert graph.dependencies("ui") == ("api", "auth")
    assert graph.dependents("db") == ("api", "auth")
    assert graph.all_dependents("db") == ("api", "auth", "ui")
    assert graph.all_dependencies("ui") == ("db", "api", "auth")
    assert graph.all_dependencies("lone") == ()


def test_what_was_asked_for_before_is_not_sought_again() -> None:
    graph = Graph.of(DIAMOND)
    for question in (graph.all_dependencies, graph.all_dependents):
        assert question("api") is question("api")


def test_an_unknown_service_is_a_key_error() -> None:
    graph = Graph.of(DIAMOND)
    for question in (
        graph.dependencies,
        graph.dependents,
        graph.all_dependencies,
        graph.all_dependents,
    ):
        with pytest.raises(KeyError):
            question("none")


def test_repeated_and_unknown_dependencies_are_left_out() -> None:
    assert edges(bundle_of({"a": ["b", "b", "gone"], "b": []})) == {"a": ("b",), "b": ()}


@pytest.mark.parametrize(
    ("dependencies", "circle"),
    [
        ({"a": ["a"]}, ("a", "a")),
        ({"a": ["b"], "b": ["a"]}, ("a", "b", "a")),
        ({"x": ["a"], "a": ["b"], "b": ["c"], "c": ["a"]}, ("a", "b", "c", "a")),
        ({"a": ["b", "c"], "b": [], "c": ["d"], "d": ["c"]}, ("c", "d", "c")),
        ({"a": ["b"], "b": []}, ()),
    ],
)
def test_the_cycle_is_shown_from_its_first_service_back_to_it(
    dependencies: dict[str, list[str]], circle: tuple[str, ...]
) -> None:
    assert find_cycle(edges(bundle_of(dependencies))) == circle


def test_no_graph_is_built_of_a_cycle() -> None:
    with pytest.raises(DependencyCycle, match=r"in a circle: a → b → a$"):
        Graph.of(bundle_of({"a": ["b"], "b": ["a"]}))


def test_any_services_are_put_into_start_order() -> None:
    assert Graph.of(DIAMOND).in_start_order(["ui", "api", "db"]) == ["db", "api", "ui"]


def test_a_very_long_chain_is_no_problem() -> None:
    names = [f"s{number}" for number in range(5000)]
    chain = bundle_of(
        {name: [after] for name, after in itertools.pairwise(names)} | {names[-1]: []}
    )
    graph = Graph.of(chain)
    assert graph.start_order == tuple(reversed(names))
    assert len(graph.waves) == 5000


@st.composite
def acyclic(draw: Callable[..., object]) -> dict[str, list[str]]:
    count = int(str(draw(st.integers(1, 12))))
    names = [f"s{number}" for number in range(count)]
    order = list(draw(st.permutations(names)))  # type: ignore[call-overload]
    wanted: dict[str, list[str]] = {
        name: list(
            draw(st.lists(st.sampled_from(order[:place]), unique=True) if place else st.just([]))
        )  # type: ignore[call-overload]
        for place, name in enumerate(order)
    }
    return {name: wanted[name] for name in names}


@given(acyclic())
def test_every_order_respects_the_dependencies(dependencies: dict[str, list[str]]) -> None:
    graph = Graph.of(bundle_of(dependencies))
    place = {service: index for index, service in enumerate(graph.start_order)}
    wave = {service: index for index, group in enumerate(graph.waves) for service in group}
    assert set(place) == set(dependencies) == set(wave)
    for service, wanted in dependencies.items():
        assert all(place[target] < place[service] for target in wanted)
        assert wave[service] == max((wave[target] + 1 for target in wanted), default=0)
        assert all(service in graph.all_dependents(target) for target in wanted)
        assert set(graph.dependencies(service)) == set(wanted)


@given(st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdef"))))
def test_a_cycle_is_one_and_is_found_exactly_when_there_is_no_order(
    dependencies: dict[str, list[str]],
) -> None:
    bundle = bundle_of(dependencies or {"a": []})
    circle = find_cycle(edges(bundle))
    if circle:
        assert circle[0] == circle[-1]
        assert all(after in edges(bundle)[name] for name, after in itertools.pairwise(circle))
    else:
        assert len(Graph.of(bundle).start_order) == len(bundle.services)


def test_reversing_twice_gives_the_same_edges() -> None:
    forward = edges(DIAMOND)
    back = reverse(reverse(forward))
    assert {name: set(targets) for name, targets in back.items()} == {
        name: set(targets) for name, targets in forward.items()
    }
