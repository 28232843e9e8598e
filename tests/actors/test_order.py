"""Who may start, who is blocked, who must stop first: tables over pure functions."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest

from actors import order
from actors.messages import Then
from actors.order import Order, Tree
from actors.snapshot import ServiceView, State
from manifest.graph import Graph
from manifest.schema import App, Ipc, Manifest, Service, Supervision, Telemetry

ONE = Supervision()
REST = Supervision(strategy="rest_for_one")
ALL = Supervision(strategy="one_for_all")


def graph(**dependencies: str) -> Graph:
    services = [Service(id=id_, dependencies=text.split()) for id_, text in dependencies.items()]
    return Graph.of(
        Manifest(
            schema_version="v0.1",
            target="desktop",
            app=App(name="x", version="1"),
            ipc=Ipc(mode="loopback-http", host="127.0.0.1", port=0, auth_token_path="t"),
            telemetry=Telemetry(file="t.jsonl"),
            services=services,
        )
    )


CHAIN = graph(db="", api="db", web="api", extra="")


STAY, WAIT = Order(Then.STAY, ""), Order(Then.WAIT, "")


def tree(
    wanted: str = "db api web extra",
    orders: dict[str, Order] | None = None,
    missing: dict[str, tuple[str, ...]] | None = None,
    **states: str,
) -> Tree:
    views = {
        id_: ServiceView(
            id=id_,
            state=State(states.get(id_, "waiting")),
            message="",
            updated_at=0,
            exit_code=1 if states.get(id_) == "failed" else None,
        )
        for id_ in CHAIN.start_order
    }
    return Tree(CHAIN, views, frozenset(wanted.split()), missing or {}, orders or {})


@pytest.mark.parametrize(
    ("given", "supervision", "expected"),
    [
        (tree(), ONE, ["db", "extra"]),
        (tree(db="starting"), ONE, ["extra"]),
        (tree(db="ready"), ONE, ["api", "extra"]),
        (tree(db="unhealthy", extra="ready"), ONE, []),
        (tree(db="ready", orders={"db": STAY}, extra="ready"), ONE, []),
        (tree(db="ready", api="ready", extra="backoff"), ONE, ["web"]),
        (tree(wanted="db"), ONE, ["db"]),
        (tree(missing={"db": ("KEY",)}), ONE, ["extra"]),
        (tree(orders={"db": WAIT}), ONE, ["extra"]),
        (tree(api="stopping", orders={"api": WAIT}, extra="ready"), REST, []),
        (tree(api="stopping", orders={"api": WAIT}), REST, ["extra"]),
        (tree(api="stopping", orders={"api": WAIT}), ALL, []),
    ],
)
def test_a_service_may_start_when_nothing_stands_in_its_way(
    given: Tree, supervision: Supervision, expected: Any
) -> None:
    assert order.startable(given, supervision) == expected


def test_a_waiting_service_says_what_it_waits_for() -> None:
    given = tree(db="starting")
    assert order.wait(given, "api", order.troubles(given)) == order.Wait(
        ("db",), False, "waiting for db"
    )


def test_a_missing_secret_is_named() -> None:
    given = tree(db="ready", missing={"api": ("API_KEY", "OTHER")})
    wait = order.wait(given, "api", order.troubles(given))
    assert wait.waiting_for == ("API_KEY", "OTHER")
    assert wait.message == "waiting for secrets 'API_KEY', 'OTHER'"
    assert not wait.blocked


def test_a_dependency_that_failed_for_good_blocks_everything_above_it_and_is_named() -> None:
    given = tree(db="failed")
    blocking = order.troubles(given)
    assert order.wait(given, "api", blocking).message == "blocked: db failed (exit 1)"
    assert order.wait(given, "web", blocking).message == "blocked: db failed (exit 1)"
    assert order.wait(given, "web", blocking).blocked


def test_a_dependency_that_may_come_back_does_not_block() -> None:
    given = tree(db="backoff")
    assert not order.wait(given, "api", order.troubles(given)).blocked


def test_a_stopped_dependency_blocks() -> None:
    given = tree(db="stopped")
    assert order.wait(given, "api", order.troubles(given)).message == "blocked: db is stopped"


def test_dependents_are_stopped_before_what_they_depend_on() -> None:
    orders = {"db": STAY, "api": STAY, "web": STAY}
    up: dict[str, Any] = {"db": "ready", "api": "ready", "web": "ready"}
    assert order.ready_to_stop(tree(orders=orders, **up)) == ["web"]
    assert order.ready_to_stop(tree(orders=orders, **up | {"web": "stopping"})) == ["web"]
    assert "api" in order.ready_to_stop(tree(orders=orders, **up | {"web": "stopped"}))


@pytest.mark.parametrize(
    ("supervision", "expected"),
    [(ONE, []), (REST, ["web", "api"]), (ALL, ["extra", "web", "api"])],
)
def test_the_strategy_says_who_restarts_with_a_service_that_failed(
    supervision: Supervision, expected: Any
) -> None:
    given = tree(db="stopping", api="ready", web="ready", extra="ready")
    assert sorted(order.restart_group(given, "db", supervision)) == sorted(expected)
    found = order.restart_group(given, "db", supervision)
    if expected:
        assert found.index("web") < found.index("api")


def test_a_start_command_wakes_what_the_service_needs_first() -> None:
    assert order.to_revive(tree(db="stopped", api="stopped", web="failed"), "web") == [
        "db",
        "api",
        "web",
    ]
    assert order.to_revive(tree(db="ready", api="backoff"), "web") == []


def test_an_on_demand_service_is_wanted_only_when_something_needs_it() -> None:
    assert order.wanted_with_the_bundle(CHAIN, ["extra", "db"]) == {"db", "api", "web"}


def test_others_see_why_a_service_waits_and_which_one_nobody_has_asked_for() -> None:
    given = tree(wanted="db api web", db="failed")
    blocking = order.troubles(given)
    api, extra = order.shown(given, "api", blocking), order.shown(given, "extra", blocking)
    assert (api.state, api.blocked, api.waiting_for) == (State.WAITING, True, ("db",))
    assert api.message == "blocked: db failed (exit 1)"
    assert (extra.state, extra.skipped, extra.message) == (
        State.INACTIVE,
        True,
        "starts on demand",
    )
    assert order.shown(given, "db", blocking) is given.views["db"]


def test_a_deep_and_wide_bundle_is_judged_without_repeating_work() -> None:
    layers = [[f"s{layer}-{n}" for n in range(10)] for layer in range(8)]
    needs = dict.fromkeys(layers[0], "")
    for below, above in itertools.pairwise(layers):
        needs |= {id_: " ".join(below) for id_ in above}
    wide = graph(**needs)
    views = {
        id_: ServiceView(id=id_, state=State.WAITING, message="", updated_at=0)
        for id_ in wide.start_order
    }
    views["s0-0"] = msgspec.structs.replace(views["s0-0"], state=State.FAILED, message="gone")
    blocking = order.troubles(Tree(wide, views, frozenset(views)))
    assert blocking["s7-9"] == "s0-0 failed (gone)"


def test_a_service_without_a_port_holds_back_who_names_it_and_says_why() -> None:
    given = msgspec.structs.replace(
        tree(api="starting"), short={"extra": "range 1-2 is used up"}, lacking={"db": ("extra",)}
    )
    blocking = order.troubles(given)
    assert "db" not in order.startable(given, ONE)
    assert order.wait(given, "db", blocking) == order.Wait(
        ("extra",), True, "blocked: extra has no port: range 1-2 is used up"
    )
    assert blocking["db"] == "extra has no port: range 1-2 is used up"


def test_dependents_of_a_service_without_a_port_say_so_and_not_that_it_failed() -> None:
    given = tree(db="failed")
    views = given.views | {"db": msgspec.structs.replace(given.views["db"], exit_code=None)}
    short = msgspec.structs.replace(given, views=views, short={"db": "range 1-2 is used up"})
    wait = order.wait(short, "web", order.troubles(short))
    assert wait.message == "blocked: db has no port: range 1-2 is used up"
