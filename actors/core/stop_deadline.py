"""How long an orderly stop of the whole bundle may take."""

from __future__ import annotations

from bundlevisor.actors.guardian.stop_plan import longest_chain
from bundlevisor.manifest.format.schema import Manifest
from bundlevisor.manifest.plan.graph import Graph

MARGIN = 2.0
"""Seconds on top of the services' own graces: for the messages and the killing."""
LONGEST = 60.0
"""Seconds; a desktop does not wait longer for an application to end."""


def stop_bound(manifest: Manifest, graph: Graph) -> float:
    """Return seconds: the longest chain of stop time-outs along the stop order, bounded."""
    chain = longest_chain(
        (id_, manifest.service(id_).stop.grace_s, graph.dependencies(id_))
        for id_ in graph.start_order
    )
    return min(chain + MARGIN, LONGEST)
