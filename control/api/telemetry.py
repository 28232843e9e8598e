"""``GET /telemetry``: where the events are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundlevisor.control.wire.bodies import Telemetry
from bundlevisor.control.wire.json_body import send

if TYPE_CHECKING:
    from bundlevisor.control.wire.exchange import Request, Response
    from bundlevisor.control.wire.facade import RuntimeApi


class TelemetryResource:
    """The file, and the address that the shell may send it to."""

    def __init__(self, runtime: RuntimeApi) -> None:
        self._runtime = runtime

    def on_get(self, _req: Request, resp: Response) -> None:
        """Answer 200."""
        facts = self._runtime.facts
        upload_url = facts.manifest.telemetry.upload_url
        send(resp, Telemetry(path=facts.telemetry_path, upload_url=upload_url))
