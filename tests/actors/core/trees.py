"""Services in each of their stages, for what the supervisor decides of them all."""

from __future__ import annotations

from bundlevisor.actors.core.dependencies import Tree
from bundlevisor.actors.core.desired import Desired, is_ending
from bundlevisor.actors.core.report import Report, Stage, StopCause
from bundlevisor.actors.ports.shortages import Shortages
from bundlevisor.manifest.format.policy import Supervision
from bundlevisor.manifest.plan.graph import Graph
from tests.manifests import needing

ONE = Supervision()
REST = Supervision(strategy="rest_for_one")
ALL = Supervision(strategy="one_for_all")


def graph(**dependencies: str) -> Graph:
    return Graph.of(needing(**dependencies))


CHAIN = graph(db="", api="db", web="api", extra="")


def tree(
    wanted: str = "db api web extra",
    desired: dict[str, Desired] | None = None,
    missing: dict[str, tuple[str, ...]] | None = None,
    hindered: dict[str, str] | None = None,
    shortages: Shortages | None = None,
    **stages: str,
) -> Tree:
    reports = {
        id_: Report(
            id=id_,
            stage=Stage(stages.get(id_, "waiting")),
            exit_code=1 if stages.get(id_) == "failed" else None,
            stop_cause=StopCause.EXITED,
        )
        for id_ in CHAIN.start_order
    }
    wishes = desired or {}
    ending = frozenset(id_ for id_, wish in wishes.items() if is_ending(wish, reports[id_]))
    return Tree(
        CHAIN,
        reports,
        frozenset(wanted.split()),
        missing or {},
        hindered or {},
        wishes,
        ending,
        shortages,
    )
