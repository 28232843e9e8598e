"""Which port each service gets: a pure choice that fails only when no assignment exists.

Requests compete only for the ports that their ranges share: where a wide range took the only port
of a narrow one, it moves (an augmenting path of bipartite matching), whatever the order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import msgspec

from bundlevisor.manifest.format.findings import Finding
from bundlevisor.manifest.format.paths import WINDOWS
from bundlevisor.manifest.format.schema import DEFAULT_RANGE, Manifest, PortRequest

Key = tuple[str, str]
"""A service's id and the name of its port."""

REFUSED_BY_BROWSERS = frozenset(
    (
        *(1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95),
        *(101, 102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161),
        *(179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563),
        *(587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060),
        *(5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080),
    )
)
"""The bad ports of the Fetch standard (https://fetch.spec.whatwg.org/#port-blocking): no window can
ask them, Chromium says ERR_UNSAFE_PORT. Chromium's own (net/base/port_util.cc) are among them."""

PRIVILEGED = range(1024)
"""Of most systems only root may bind these (ip(7)); it is told as it is that another has them."""

OR_RESERVED = "or reserved by Windows: netsh interface ipv4 show excludedportrange tcp"
"""Hyper-V, WSL and Docker have blocks of a hundred reserved, others at each start of the machine;
nobody is seen to use them."""

MOST_SPARED = 200
"""With more demands at once the numbers that browsers refuse are as good as any other: to see
whether others can make room for one that is left over takes work in the square of the demands."""


class PortDemand(msgspec.Struct, frozen=True):
    """One port that a service asks for; both ends of the range are included."""

    service: str
    name: str
    low: int
    high: int
    path: str = ""

    @property
    def key(self) -> Key:
        """What remembered ports are found by."""
        return self.service, self.name


class PortPlan(msgspec.Struct, frozen=True):
    """The chosen ports by service and name, and for each demand that got none a finding."""

    ports: dict[str, dict[str, int]]
    failures: tuple[Finding, ...] = ()
    unmet: tuple[PortDemand, ...] = ()
    """The demands of the findings, in their order."""


def demands(manifest: Manifest) -> tuple[PortDemand, ...]:
    """Return every port that the bundle's services ask for, in the manifest's order."""
    return tuple(
        _demand(manifest, service.id, request, f"services[{index}].ports.requested[{place}]")
        for index, service in enumerate(manifest.services)
        for place, request in enumerate(service.port_requests)
    )


def range_of(request: PortRequest, manifest: Manifest) -> tuple[int, int]:
    """Return the range of a request: its own, the bundle's default, or the format's."""
    default = manifest.ports.default_range if manifest.ports else None
    chosen = request.range or default or DEFAULT_RANGE
    return chosen.min, chosen.max


def reserved_of(manifest: Manifest) -> frozenset[int]:
    """Return the ports that the bundle says are never to be given out."""
    return frozenset((manifest.ports.reserved if manifest.ports else None) or ())


def choose(
    demands: Sequence[PortDemand],
    *,
    is_free: Callable[[int], bool],
    remembered: Mapping[Key, int] | None = None,
    reserved: Collection[int] = (),
    control_port: int | None = None,
    given: Collection[int] = (),
    windows: bool = WINDOWS,
) -> PortPlan:
    """Choose a port for every demand: the remembered one, else the lowest that is free.

    Any service may be asked by a window, so that what browsers refuse is given out only where
    a demand could not be met otherwise.
    ``is_free`` may bind the port that it is asked about: it is asked at most once for each, and
    every port it says yes to is given out. Reserved ports, the control port and those that were
    ``given`` to others before are never asked about. A demand that cannot be met fails alone.
    """
    never = frozenset(reserved) | ({control_port} if control_port else frozenset())
    choice = _Choice(never, frozenset(given), is_free)
    unmet = demands
    if len(demands) <= MOST_SPARED:
        unmet = choice.serve(unmet, remembered or {}, REFUSED_BY_BROWSERS)
    if unmet:
        unmet = choice.serve(unmet, remembered or {}, frozenset())
    ranges = {(demand.low, demand.high): demand for demand in unmet}
    reasons = {ends: _reason(demand, choice, windows) for ends, demand in ranges.items()}
    return PortPlan(
        _by_service(demands, choice.chosen),
        tuple(_failure(demand, reasons[demand.low, demand.high]) for demand in unmet),
        tuple(unmet),
    )


class _Beyond:
    """Ports that need not be looked at again: each is passed over at once with its neighbours."""

    def __init__(self) -> None:
        self._next: dict[int, int] = {}

    def add(self, port: int) -> None:
        """Pass this port over from now on."""
        self._next[port] = port + 1

    def first(self, port: int) -> int:
        """Return the first port from this one on that is not passed over."""
        passed = []
        while port in self._next:
            passed.append(port)
            port = self._next[port]
        for one in passed:
            self._next[one] = port
        return port


class _Choice:
    """The assignment while it grows: who owns which port, and what was heard of the others."""

    _avoided: frozenset[int]
    """Ports that could be had and are not given out."""
    _taken: _Beyond
    """Ports that nobody can be given for the asking, and never will be."""
    _spent: _Beyond
    """Ports by which no demand can be met: every way on from them was tried."""
    _used_up: set[tuple[int, int]]
    """Ranges of which a demand could not be met, so that no other will be either."""

    def __init__(
        self, never: frozenset[int], given: frozenset[int], is_free: Callable[[int], bool]
    ) -> None:
        self.never = never
        self.given = given
        self.busy: set[int] = set()
        self.owners: dict[int, PortDemand] = {}
        self.chosen: dict[Key, int] = {}
        self._is_free = is_free

    def serve(
        self,
        demands: Sequence[PortDemand],
        remembered: Mapping[Key, int],
        avoided: frozenset[int],
    ) -> list[PortDemand]:
        """Give ports, none that is avoided, to as many as possible; return the other demands."""
        self._avoided = avoided
        self._taken, self._spent, self._used_up = _Beyond(), _Beyond(), set()
        waiting = [demand for demand in demands if not self.keep(demand, remembered)]
        return [demand for demand in waiting if not self.place(demand)]

    def keep(self, demand: PortDemand, remembered: Mapping[Key, int]) -> bool:
        """Give the demand the port that it had before, if that is possible."""
        port = remembered.get(demand.key)
        if port is None or not demand.low <= port <= demand.high or not self._take(port):
            return False
        self._give(port, demand)
        return True

    def place(self, demand: PortDemand) -> bool:
        """Give the demand the lowest free port of its range, moving others where that helps."""
        if (demand.low, demand.high) in self._used_up:
            return False
        came_from: dict[int, PortDemand] = {}
        pending = deque([demand])
        while pending:
            asking = pending.popleft()
            free = self._lowest_free(asking)
            if free is not None:
                self._shift(free, asking, demand, came_from)
                return True
            for port in self._owned(asking):
                if port not in came_from:
                    came_from[port] = asking
                    pending.append(self.owners[port])
        for port in came_from:
            self._spent.add(port)
        self._used_up.add((demand.low, demand.high))
        return False

    def _lowest_free(self, demand: PortDemand) -> int | None:
        port = self._taken.first(demand.low)
        while port <= demand.high:
            self._taken.add(port)  # given out now, or not to be had
            if self._take(port):
                return port
            port = self._taken.first(port)
        return None

    def _owned(self, demand: PortDemand) -> Iterator[int]:
        """Yield the ports of the demand's range that their owners may give up."""
        port = self._spent.first(demand.low)
        while port <= demand.high:
            if port in self.owners:
                yield port
            else:
                self._spent.add(port)  # reserved, avoided, or used by somebody else
            port = self._spent.first(port + 1)

    def _take(self, port: int) -> bool:
        if port in self._avoided or port in self.never or port in self.given:
            return False
        if port in self.busy or port in self.owners:
            return False
        if self._is_free(port):
            return True
        self.busy.add(port)
        return False

    def _give(self, port: int, demand: PortDemand) -> None:
        self.owners[port] = demand
        self.chosen[demand.key] = port

    def _shift(
        self, free: int, taker: PortDemand, demand: PortDemand, came_from: dict[int, PortDemand]
    ) -> None:
        """Hand ``free`` to ``taker``, its port to who asked for that, and so on to ``demand``."""
        while taker is not demand:
            released = self.chosen[taker.key]
            self._give(free, taker)
            free, taker = released, came_from[released]
        self._give(free, demand)


def _demand(manifest: Manifest, service: str, request: PortRequest, path: str) -> PortDemand:
    low, high = range_of(request, manifest)
    return PortDemand(service, request.name, low, high, path)


def _range(demand: PortDemand) -> range:
    return range(demand.low, demand.high + 1)


def _by_service(
    demands: Sequence[PortDemand], chosen: Mapping[Key, int]
) -> dict[str, dict[str, int]]:
    ports: dict[str, dict[str, int]] = {}
    for demand in demands:
        if demand.key in chosen:
            ports.setdefault(demand.service, {})[demand.name] = chosen[demand.key]
    return ports


def _failure(demand: PortDemand, reason: str) -> Finding:
    sentence = f"service '{demand.service}': no free port for '{demand.name}': {reason}"
    return Finding("port_range_exhausted", demand.path, sentence, demand.service)


def _reason(demand: PortDemand, choice: _Choice, windows: bool) -> str:
    ports = _range(demand)
    reserved = sum(port in choice.never for port in ports)
    given = sum(port in choice.owners or port in choice.given for port in ports)
    busy = sum(port in choice.busy for port in ports)
    or_else = f" ({OR_RESERVED})" if windows else ""
    if not windows and demand.low in PRIVILEGED:
        or_else = " (or, below 1024, for root alone)"
    return (
        f"of the {len(ports)} in {demand.low}-{demand.high}, {busy} are in use{or_else},"
        f" {given} are given to other ports of this bundle and {reserved} are reserved; widen"
        " the range or end what uses them."
    )
