"""Which port belongs to whom: chosen at the start, chosen again when one is lost, remembered."""

from __future__ import annotations

import threading
from collections.abc import Callable

from actors.edges.held_ports import HeldPorts
from actors.state import ports as memory
from actors.supervisor import Ports
from manifest import plan_ports
from manifest.findings import Finding
from manifest.platform import current_key
from manifest.schema import Manifest
from manifest.texts import ports_named


class PortBook:
    """The ports of one bundle. Chosen ports are held in ``reserved`` until a service takes them.

    ``set_aside`` hears of a memory of ports that could not be used, ``warn`` of other trouble.
    """

    def __init__(
        self,
        manifest: Manifest,
        app_data: str,
        control_port: int,
        reserved: HeldPorts,
        warn: Callable[[str], None],
        set_aside: Callable[[str], None],
    ) -> None:
        self._manifest = manifest
        self._app_data = app_data
        self._control_port = control_port
        self._reserved = reserved
        self._warn = warn
        self._set_aside = set_aside
        self._demands = plan_ports.demands(manifest)

    def choose(self) -> tuple[Ports, tuple[Finding, ...]]:
        """Choose all ports, those of the last start again where they are free."""
        if not self._demands:
            return {}, ()
        remembered, trouble = memory.read(self._app_data)
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
        return plan.ports, plan.failures

    def move(self, service_id: str, names: tuple[str, ...], ports: Ports) -> Ports | None:
        """Return the table with other ports for these names; None when a range is exhausted."""
        given = {port for table in ports.values() for port in table.values()}
        plan = plan_ports.choose(
            [d for d in self._demands if d.service == service_id and d.name in names],
            is_free=self._reserved.hold,
            reserved=plan_ports.reserved_of(self._manifest) | given,
            control_port=self._control_port,
        )
        if plan.failures:
            return None
        moved = {**ports, service_id: {**ports[service_id], **plan.ports[service_id]}}
        self.remember(moved)
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
        """Write the choice down for the next start, beside whatever else is going on."""
        threading.Thread(target=self._write, args=(ports,), name="ports", daemon=True).start()

    def _write(self, ports: Ports) -> None:
        try:
            memory.write(self._app_data, ports)
        except OSError as error:
            self._warn(f"the choice of ports could not be remembered: {error}")
