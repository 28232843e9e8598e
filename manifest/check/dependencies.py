"""Dependencies: known, and not in a circle."""

from __future__ import annotations

from collections import Counter

from bundlevisor.manifest.check.view import Place, View
from bundlevisor.manifest.format.findings import Report
from bundlevisor.manifest.format.suggest import hint
from bundlevisor.manifest.plan.graph import edges, find_cycle

_CIRCLES = 20
"""How many circles are shown; each takes a walk over all services."""


def check(view: View, report: Report) -> None:
    """Check that every dependency exists and that no service waits for itself."""
    for place in view.places:
        _check_known(place, view, report)
    forward = _edges_of_one(view)
    paths = {place.id: place.path for place in view.places}
    for _ in range(_CIRCLES):
        circle = find_cycle(forward)
        if not circle:
            return
        sentence = f"services depend on each other in a circle: {' → '.join(circle)}; remove one."
        report.error("dependency_cycle", f"{paths[circle[0]]}.dependencies", sentence, circle[0])
        forward[circle[-2]] = tuple(id_ for id_ in forward[circle[-2]] if id_ != circle[-1])


def _edges_of_one(view: View) -> dict[str, tuple[str, ...]]:
    """Return the dependencies between services whose id is theirs alone.

    Whom an id of several means nobody knows, nor what a circle through it would be.
    """
    counts = Counter(place.id for place in view.places)
    return {
        id_: tuple(target for target in targets if counts[target] == 1)
        for id_, targets in edges(view.manifest).items()
        if counts[id_] == 1
    }


def _check_known(place: Place, view: View, report: Report) -> None:
    seen: set[str] = set()
    for index, wanted in enumerate(place.service.dependencies):
        path = f"{place.path}.dependencies[{index}]"
        if wanted not in view.ports:
            near = "" if report.many else hint(wanted, view.ports)
            sentence = f"service '{place.id}': there is no service '{wanted}' to depend on{near}."
            report.error("unknown_dependency", path, sentence, place.id)
        elif wanted in seen:
            sentence = f"service '{place.id}': '{wanted}' is listed twice; remove one of them."
            report.warning("duplicate_dependency", path, sentence, place.id)
        seen.add(wanted)
