"""``GET /validate``: all the problems of the bundle, not only the first."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from bundlevisor.control.wire.json_body import send
from bundlevisor.control.wire.lanes import require_room

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
        with self._checking:
            report = self._runtime.validate()
        send(resp, report)
