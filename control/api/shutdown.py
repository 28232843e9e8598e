"""``POST /shutdown``: the orderly stop of everything. The Go runtime's client sends GET."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundlevisor.control.api import who_asked
from bundlevisor.control.wire.bodies import Stopping
from bundlevisor.control.wire.json_body import send

if TYPE_CHECKING:
    from bundlevisor.control.wire.exchange import Request, Response
    from bundlevisor.control.wire.facade import RuntimeApi


class ShutdownResource:
    """Begins the stop; asking again changes nothing."""

    def __init__(self, runtime: RuntimeApi) -> None:
        self._runtime = runtime

    def on_post(self, req: Request, resp: Response) -> None:
        """Answer 202; a body is not looked at."""
        who_asked.tell(self._runtime, req)
        self._runtime.shutdown("api")
        send(resp, Stopping(), 202)

    on_get = on_post
