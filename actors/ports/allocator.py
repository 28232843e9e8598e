"""Which port belongs to whom: chosen at the start, chosen again when one is lost, remembered."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bundlevisor.actors.ports.remembered import PortMemory
from bundlevisor.actors.ports.reservations import PortReservations, fits_all_addresses
from bundlevisor.actors.ports.service_ports import Ports
from bundlevisor.manifest.format.platform import current_key
from bundlevisor.manifest.format.schema import Manifest
from bundlevisor.manifest.plan import ports as plan_ports
from bundlevisor.manifest.plan.template_uses import ports_named

if TYPE_CHECKING:
    from bundlevisor.actors.ports.shortages import Shortage


class PortAllocator:
    """The ports of one bundle. Chosen ports are held in ``reserved`` until a service takes them.

    ``set_aside`` hears of a memory of ports that could not be used.
    """

    def __init__(
        self,
        manifest: Manifest,
        memory: PortMemory,
        control_port: int,
        reserved: PortReservations,
        set_aside: Callable[[str], None],
    ) -> None:
        self._manifest = manifest
        self._memory = memory
        self._control_port = control_port
        self._reserved = reserved
        self._set_aside = set_aside
        self._demands = plan_ports.demands(manifest)

    def choose(self) -> tuple[Ports, dict[str, Shortage]]:
        """Choose all ports, those of the last start again where they are free.

        Returned with them is what services are short of, by their ids.
        """
        if not self._demands:
            return {}, {}
        remembered, trouble = self._memory.read()
        if trouble:
            self._set_aside(trouble)
        plan = plan_ports.choose(
            self._demands,
            is_free=self._reserved.hold,
            remembered={
                (service, name): port
                for service, names in remembered.items()
                for name, port in names.items()
            },
            reserved=plan_ports.reserved_of(self._manifest),
            control_port=self._control_port,
        )
        return plan.ports, _shortages(plan) if plan.failures else {}

    def complete(self, service_id: str, ports: Ports) -> tuple[Ports, Shortage | None]:
        """Return the table with the ports that a service is short of, or what it is still short of.

        What others were given stays theirs, also while they are down.
        """
        had = ports.get(service_id, {})
        missing = [d for d in self._demands if d.service == service_id and d.name not in had]
        plan = self._among(missing, ports)
        found = plan.ports.get(service_id, {})
        if plan.failures:
            for port in found.values():
                self._reserved.release(port)
            return ports, _shortages(plan)[service_id]
        completed = {**ports, service_id: {**had, **found}}
        self._memory.put(completed)
        return completed, None

    def move(self, service_id: str, names: tuple[str, ...], ports: Ports) -> Ports | None:
        """Return the table with other ports for these names; None when a range is exhausted.

        Ones that fit all addresses: it may be for want of that that these were lost.
        """
        lost = [d for d in self._demands if d.service == service_id and d.name in names]
        plan = self._among(lost, ports, fits=fits_all_addresses)
        if plan.failures:
            return None
        moved = {**ports, service_id: {**ports[service_id], **plan.ports[service_id]}}
        self._memory.put(moved)
        return moved

    def users(self, service_id: str, names: tuple[str, ...]) -> frozenset[str]:
        """Return the other services of which some text names one of these ports."""
        lost = {(service_id, name) for name in names}
        secrets, key = {secret.id: secret for secret in self._manifest.secrets}, current_key()
        known = {s.id: [r.name for r in s.port_requests] for s in self._manifest.services}
        return frozenset(
            service.id
            for service in self._manifest.services
            if service.id != service_id and lost & ports_named(service, secrets, key, known)
        )

    def remember(self, ports: Ports) -> None:
        """Have the choice written down for the next start, beside whatever else is going on."""
        self._memory.put(ports)

    def _among(
        self,
        demands: list[plan_ports.PortDemand],
        ports: Ports,
        fits: Callable[[int], bool] = lambda _: True,
    ) -> plan_ports.PortPlan:
        """Choose for a few, of what ``fits``, while all others keep what they have."""
        return plan_ports.choose(
            demands,
            is_free=lambda port: fits(port) and self._reserved.hold(port),
            reserved=plan_ports.reserved_of(self._manifest),
            control_port=self._control_port,
            given={port for table in ports.values() for port in table.values()},
        )


def _shortages(plan: plan_ports.PortPlan) -> dict[str, Shortage]:
    """Say of every service that got less than it asked for what it is short of."""
    from bundlevisor.actors.ports.shortages import Shortage

    found: dict[str, Shortage] = {}
    for demand, finding in zip(plan.unmet, plan.failures, strict=True):
        before = found.get(demand.service)
        found[demand.service] = Shortage(
            names=(*(before.names if before else ()), demand.name),
            why=before.why if before else f"range {demand.low}-{demand.high} is used up",
            sentence=before.sentence if before else finding.message,
        )
    return found
