"""``GET /timeline``: what took how long from exec to ready, as JSON or as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundlevisor.control.wire.bodies import Timelines
from bundlevisor.control.wire.json_body import send
from bundlevisor.control.wire.parameters import EARLIER, yes_or_no

if TYPE_CHECKING:
    import falcon

    from bundlevisor.control.wire.facade import RuntimeApi

SVG = "image/svg+xml"


class TimelineResource:
    """This start, and on ``?earlier=1`` the ones before it."""

    def __init__(self, runtime: RuntimeApi) -> None:
        self._runtime = runtime

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer 200."""
        wants_earlier = yes_or_no(req, EARLIER)
        timeline = self._runtime.timeline()
        if req.client_prefers((SVG, "application/json")) == SVG and "*/*" not in req.accept:
            from bundlevisor.actors.telemetry.timeline_picture import draw

            resp.content_type = SVG
            resp.data = draw(timeline).encode()
            return
        earlier = self._runtime.earlier_timelines() if wants_earlier else ()
        send(resp, Timelines(timeline=timeline, earlier=tuple(earlier)))
