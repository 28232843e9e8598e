"""What a bundle's own services need at least, and what a runtime adds between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bundlevisor.perf.records import Incarnation, first_of_each

Dependencies = Mapping[str, Sequence[str]]


def critical_path_ns(dependencies: Dependencies, record: list[Incarnation]) -> int:
    """Return C: the longest chain of the services' own times from main() to listen()."""
    firsts = first_of_each(record)
    until: dict[str, int] = {}

    def reach(service: str) -> int:
        if service not in until:
            one = firsts.get(service)
            own = one.listen - one.start if one and one.listen else 0
            until[service] = own + max(map(reach, dependencies.get(service, ())), default=0)
        return until[service]

    return max(map(reach, dependencies), default=0)


def release_gaps_ns(dependencies: Dependencies, record: list[Incarnation]) -> list[int]:
    """Return, for each service with dependencies, last listen() among them → its own main()."""
    firsts = first_of_each(record)
    gaps = []
    for service, needs in dependencies.items():
        one = firsts.get(service)
        listens = [firsts[need].listen for need in needs if need in firsts]
        if one and listens and len(listens) == len(needs) and all(listens):
            gaps.append(one.start - max(listens))
    return gaps


def stops_out_of_order(dependencies: Dependencies, record: list[Incarnation]) -> list[str]:
    """Return a sentence for each service that was told to stop before one that needs it."""
    stops = {one.service: one.stop for one in record if one.stop}
    return [
        f"'{need}' was stopped before '{service}', which needs it"
        for service, needs in dependencies.items()
        for need in needs
        if service in stops and need in stops and stops[need] < stops[service]
    ]
