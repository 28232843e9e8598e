"""Who depends on whom: start order, stop order, dependents, and the cycle."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping

import msgspec

from bundlevisor.manifest.format.schema import Manifest

Edges = Mapping[str, tuple[str, ...]]


class DependencyCycle(ValueError):
    """Services depend on each other in a circle; the message shows it."""

    def __init__(self, services: tuple[str, ...]) -> None:
        super().__init__(f"services depend on each other in a circle: {' → '.join(services)}")


class Graph(msgspec.Struct, frozen=True):
    """The dependencies of a bundle, in the manifest's order wherever there is a choice.

    ``waves`` are the groups that can start side by side: a service stands in the first wave in
    which all its dependencies stand in earlier ones.
    """

    start_order: tuple[str, ...]
    waves: tuple[tuple[str, ...], ...]
    _dependencies: dict[str, tuple[str, ...]]
    _dependents: dict[str, tuple[str, ...]]
    _positions: dict[str, int]
    """Where each stands in the start order."""
    _reached: dict[tuple[str, bool], tuple[str, ...]] = {}
    """What was asked for before: a start and a stop ask for the same many times."""

    @classmethod
    def of(cls, manifest: Manifest) -> Graph:
        """Build the graph; DependencyCycle when there is one. Unknown ids are left out."""
        dependencies = edges(manifest)
        circle = find_cycle(dependencies)
        if circle:
            raise DependencyCycle(circle)
        order = _topological(dependencies)
        return cls(
            order,
            _waves(order, dependencies),
            dependencies,
            reverse(dependencies),
            {service: position for position, service in enumerate(order)},
        )

    @property
    def stop_order(self) -> tuple[str, ...]:
        """All services, each after everything that depends on it."""
        return self.start_order[::-1]

    def position(self, service_id: str) -> int:
        """Return where a service stands in the start order; KeyError when there is none."""
        return self._positions[service_id]

    def in_start_order(self, service_ids: Iterable[str]) -> list[str]:
        """Return these services, each after all that it depends on."""
        return sorted(service_ids, key=self._positions.__getitem__)

    def dependencies(self, service_id: str) -> tuple[str, ...]:
        """Return what the service itself asks for; KeyError when there is no such service."""
        return self._dependencies[service_id]

    def dependents(self, service_id: str) -> tuple[str, ...]:
        """Return the services that ask for this one themselves."""
        return self._dependents[service_id]

    def all_dependencies(self, service_id: str) -> tuple[str, ...]:
        """Return everything that must run for this service, in start order."""
        return self._reach(service_id, up=False)

    def all_dependents(self, service_id: str) -> tuple[str, ...]:
        """Return everything that cannot run without this service, in start order."""
        return self._reach(service_id, up=True)

    def _reach(self, service_id: str, *, up: bool) -> tuple[str, ...]:
        known = self._reached.get((service_id, up))
        if known is None:
            found = reachable(service_id, self._dependents if up else self._dependencies)
            known = tuple(service for service in self.start_order if service in found)
            self._reached[service_id, up] = known
        return known


def edges(manifest: Manifest) -> dict[str, tuple[str, ...]]:
    """Return each service's dependencies, without repetitions and without unknown ids."""
    known = {service.id for service in manifest.services}
    return {
        service.id: tuple(dict.fromkeys(id_ for id_ in service.dependencies if id_ in known))
        for service in manifest.services
    }


def reverse(forward: Edges) -> dict[str, tuple[str, ...]]:
    """Return the same edges the other way round."""
    backward: dict[str, list[str]] = {service: [] for service in forward}
    for service, targets in forward.items():
        for target in targets:
            backward[target].append(service)
    return {service: tuple(sources) for service, sources in backward.items()}


def find_cycle(forward: Edges) -> tuple[str, ...]:
    """Return the first cycle, its first service repeated at the end; empty when there is none."""
    done: set[str] = set()
    for start in forward:
        if start not in done and (circle := _cycle_from(start, forward, done)):
            return circle
    return ()


def _cycle_from(start: str, forward: Edges, done: set[str]) -> tuple[str, ...]:
    path = [start]
    on_path = {start}  # or done
    pending = [iter(forward[start])]
    while pending:
        target = next((id_ for id_ in pending[-1] if id_ not in done), None)
        if target is None:
            pending.pop()
            done.add(path.pop())
        elif target in on_path:
            return (*path[path.index(target) :], target)
        else:
            path.append(target)
            on_path.add(target)
            pending.append(iter(forward[target]))
    return ()


def _topological(forward: Edges) -> tuple[str, ...]:
    """Order the services so that each stands after its dependencies (Kahn's algorithm)."""
    position = {service: index for index, service in enumerate(forward)}
    names = list(forward)
    missing = {service: len(targets) for service, targets in forward.items()}
    backward = reverse(forward)
    ready = [position[service] for service, count in missing.items() if not count]
    order: list[str] = []
    while ready:
        service = names[heapq.heappop(ready)]
        order.append(service)
        for dependent in backward[service]:
            missing[dependent] -= 1
            if not missing[dependent]:
                heapq.heappush(ready, position[dependent])
    return tuple(order)


def _waves(order: tuple[str, ...], forward: Edges) -> tuple[tuple[str, ...], ...]:
    depth: dict[str, int] = {}
    for service in order:
        depth[service] = 1 + max((depth[target] for target in forward[service]), default=-1)
    waves: list[list[str]] = [[] for _ in set(depth.values())]
    for service in forward:
        waves[depth[service]].append(service)
    return tuple(tuple(wave) for wave in waves)


def reachable(start: str, along: Edges) -> set[str]:
    """Return what the edges lead to from a service, at any depth."""
    found: set[str] = set()
    pending = list(along[start])
    while pending:
        service = pending.pop()
        if service not in found:
            found.add(service)
            pending.extend(along[service])
    return found
