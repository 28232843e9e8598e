"""How long an orderly stop of the whole bundle may take."""

from __future__ import annotations

from bundlevisor.manifest.format.schema import Manifest
from bundlevisor.manifest.plan.graph import Graph

MARGIN = 2.0
"""Seconds on top of the services' own graces: for the messages and the killing."""
LONGEST = 60.0
"""Seconds; a desktop does not wait longer for an application to end."""


def stop_bound(manifest: Manifest, graph: Graph) -> float:
    """Return seconds: the longest chain of stop time-outs along the stop order, bounded."""
    ends: dict[str, float] = {}
    for id_ in graph.stop_order:
        begins = max((ends[other] for other in graph.dependents(id_)), default=0.0)
        ends[id_] = begins + manifest.service(id_).stop.timeout_ms / 1000
    return min(max(ends.values(), default=0.0) + MARGIN, LONGEST)
