"""Who asks for something to be done is written to the telemetry, before it is done.

That is done for commands, for new secrets (without their values), for ways into the dashboard
(without their codes), and for the request to end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundlevisor.control.wire.exchange import AGENT, PORT

if TYPE_CHECKING:
    from bundlevisor.control.wire.exchange import Request
    from bundlevisor.control.wire.facade import RuntimeApi

LONGEST_AGENT = 200
"""Characters of a User-Agent that are kept."""


def tell(runtime: RuntimeApi, req: Request) -> None:
    """Tell of a request what it is, what its client calls itself, and the port it comes from."""
    agent = str(req.env.get(AGENT) or "")[:LONGEST_AGENT]
    port = int(req.env.get(PORT) or 0)
    runtime.tell_asked(f"{req.method} {req.path}", agent, port)
