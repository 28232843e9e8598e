"""``GET /validate``: all the problems of the bundle, not only the first."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from bundlevisor.actors.prepare.cancelled import Cancelled
from bundlevisor.control.wire.errors import Refusal
from bundlevisor.control.wire.json_body import send
from bundlevisor.control.wire.lanes import require_room
from bundlevisor.control.wire.long_poll import client_has_gone

if TYPE_CHECKING:
    import falcon

    from bundlevisor.control.wire.facade import RuntimeApi


class ValidateResource:
    """Checks the bundle anew; one check at a time, because checksums read whole disks."""

    def __init__(self, runtime: RuntimeApi) -> None:
        self._runtime = runtime
        self._checking = threading.Lock()

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer 200, also for a bundle that is not valid."""
        require_room(req)
        try:
            with self._checking:
                report = self._runtime.validate(lambda: not client_has_gone(req))
        except Cancelled:
            raise Refusal(503, "client_gone", "nobody waits for the answer any more") from None
        send(resp, report)
