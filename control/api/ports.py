"""``GET /ports``: where the services listen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from bundlevisor.actors.files import json_text
from bundlevisor.control.wire.bodies import Ports
from bundlevisor.control.wire.json_body import send_encoded

if TYPE_CHECKING:
    from bundlevisor.actors.core.snapshot import Snapshot
    from bundlevisor.control.wire.exchange import Request, Response
    from bundlevisor.control.wire.facade import RuntimeApi
    from bundlevisor.manifest.format.schema import Manifest


def api_port(manifest: Manifest) -> tuple[str, str] | None:
    """Return the service and the port name behind ``apiBase``, None when the bundle has none.

    As in the Go runtime: the first port named ``api``, else the first ``http`` port of a service
    of type ``api-binary``.
    """
    for service in manifest.services:
        if any(request.name == "api" for request in service.port_requests):
            return service.id, "api"
    for service in manifest.services:
        names = [request.name for request in service.port_requests]
        if service.type == "api-binary" and "http" in names:
            return service.id, "http"
    return None


def ports(snapshot: Snapshot, api: tuple[str, str] | None) -> Ports:
    """Return the ports in force, by service and name."""
    services = {view.id: view.ports for view in snapshot.services.values() if view.ports}
    number = services.get(api[0], {}).get(api[1]) if api else None
    return Ports(services=services, api_base=f"http://127.0.0.1:{number}" if number else UNSET)


class PortsResource:
    """The ports of the snapshot; encoded once for each."""

    def __init__(self, runtime: RuntimeApi) -> None:
        self._runtime = runtime
        self._encoded: tuple[Snapshot | None, bytes] = (None, b"")

    def on_get(self, _req: Request, resp: Response) -> None:
        """Answer 200."""
        snapshot = self._runtime.board.snapshot
        of, encoded = self._encoded
        if snapshot is not of:
            encoded = json_text.encode(ports(snapshot, api_port(self._runtime.facts.manifest)))
            self._encoded = snapshot, encoded
        send_encoded(resp, encoded)
