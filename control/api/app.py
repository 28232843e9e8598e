"""The Falcon application: who answers which path. Who may ask is decided by
:mod:`bundlevisor.control.http.door`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import falcon

from bundlevisor.control.api import error_answers, who_asked
from bundlevisor.control.api.dashboard import CodesResource, FilesResource, LeaveResource
from bundlevisor.control.api.events import EventsResource
from bundlevisor.control.api.log_lines import LinesResource
from bundlevisor.control.api.logs import FollowResource, TailResource
from bundlevisor.control.api.metrics import MetricsResource
from bundlevisor.control.api.openapi import OpenApiResource
from bundlevisor.control.api.ports import PortsResource
from bundlevisor.control.api.secrets import SecretsResource
from bundlevisor.control.api.services import CommandResource
from bundlevisor.control.api.shutdown import ShutdownResource
from bundlevisor.control.api.status import StatusResource
from bundlevisor.control.api.telemetry import TelemetryResource
from bundlevisor.control.api.timeline import TimelineResource
from bundlevisor.control.api.usage import Meter
from bundlevisor.control.api.validation import ValidateResource
from bundlevisor.control.wire.errors import Refusal
from bundlevisor.control.wire.exchange import EVERY_ANSWER
from bundlevisor.control.wire.operations import refuse_unknown_parameters
from bundlevisor.control.wire.streams import Stream

if TYPE_CHECKING:
    from bundlevisor.control.api.ready import ReadyResource
    from bundlevisor.control.dashboard.guests import Guests
    from bundlevisor.control.wire.closing import Closing
    from bundlevisor.control.wire.facade import RuntimeApi

POSTS_TOLD = (CommandResource, SecretsResource, CodesResource)
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def make_app(
    runtime: RuntimeApi,
    closing: Closing,
    guests: Callable[[], Guests],
    meter: Meter,
    ready: ReadyResource,
) -> Wsgi:
    """Return the WSGI application that serves ``runtime`` to those who have come through the door.

    That is all but ``/healthz``. ``closing`` ends its streams and waits when it begins,
    ``guests`` are the browsers that have come in by a code, ``meter`` measures what services use;
    that and ``ready`` are shared with who answers without Falcon.
    """
    app: falcon.App[falcon.Request, falcon.Response] = falcon.App()
    app.add_middleware([EveryAnswer(), OneSlash(), KnownParameters(), WhoAsked(runtime)])
    app.resp_options.default_media_type = "application/json"
    error_answers.install(app, runtime)
    served = resources(runtime, closing, guests, meter, ready) | page(guests)
    for path, resource in served.items():
        if hasattr(resource, "on_get") and path != "/shutdown":  # HEAD never does anything
            resource.on_head = resource.on_get  # Falcon leaves the body away
        app.add_route(path, resource)
    return streaming(app)


def resources(
    runtime: RuntimeApi,
    closing: Closing,
    guests: Callable[[], Guests],
    meter: Meter,
    ready: ReadyResource,
) -> dict[str, Any]:
    """Return who answers each path."""
    return {
        "/readyz": ready,
        "/ports": PortsResource(runtime),
        "/logs/tail": TailResource(runtime),
        "/logs/lines": LinesResource(runtime, closing),
        "/logs/follow": FollowResource(runtime, closing),
        "/shutdown": ShutdownResource(runtime),
        "/secrets": SecretsResource(runtime),
        "/validate": ValidateResource(runtime),
        "/status": StatusResource(runtime, meter),
        "/telemetry": TelemetryResource(runtime),
        "/timeline": TimelineResource(runtime),
        "/services/{service_id}/start": CommandResource(runtime, "start", closing),
        "/services/{service_id}/stop": CommandResource(runtime, "stop", closing),
        "/services/{service_id}/restart": CommandResource(runtime, "restart", closing),
        "/events": EventsResource(runtime, closing),
        "/metrics": MetricsResource(runtime, meter),
        "/openapi.json": OpenApiResource(runtime),
        "/ui/codes": CodesResource(guests),
    }


def page(guests: Callable[[], Guests]) -> dict[str, Any]:
    """Return who answers what only the dashboard asks for, and its description leaves out."""
    return {
        "/ui/": FilesResource(),
        "/ui/{name}": FilesResource(),
        "/ui/leave": LeaveResource(guests),
    }


class EveryAnswer:
    """Middleware: the headers that every answer carries."""

    def process_response(
        self, _req: falcon.Request, resp: falcon.Response, _resource: object, _succeeded: bool
    ) -> None:
        """Forbid caching and guessing the media type."""
        resp.set_headers(EVERY_ANSWER)


class OneSlash:
    """Middleware: a path is what it says; Falcon would answer ``//healthz`` as ``/healthz``."""

    def process_request(self, req: falcon.Request, _resp: falcon.Response) -> None:
        """Raise 404 for a path that begins with two slashes."""
        if req.path.startswith("//"):
            raise falcon.HTTPNotFound


class KnownParameters:
    """Middleware: a parameter that is not known is a mistake to tell, not one to pass over."""

    def process_resource(
        self, req: falcon.Request, _resp: falcon.Response, _resource: object, _params: object
    ) -> None:
        """Raise Refusal 400 for a parameter that the address does not have, or that is repeated."""
        refuse_unknown_parameters(req.uri_template or "", req.path, req.params)
        for name, value in req.params.items():
            if isinstance(value, list):
                raise Refusal(400, "repeated_parameter", f"{name} may be given once only")


class WhoAsked:
    """Middleware: tells who asks for what is told of."""

    def __init__(self, runtime: RuntimeApi) -> None:
        self._runtime = runtime

    def process_resource(
        self, req: falcon.Request, _resp: falcon.Response, resource: object, _params: object
    ) -> None:
        """Tell the telemetry; the request to end tells of itself."""
        if isinstance(resource, POSTS_TOLD) and req.method == "POST":
            who_asked.tell(self._runtime, req)


def streaming(app: Wsgi) -> Wsgi:
    """Return ``app`` so that a stream's headers leave before its first byte is there."""

    def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        writers: list[Callable[[bytes], object]] = []

        def start(*arguments: Any) -> Callable[[bytes], object]:
            writers.append(start_response(*arguments))
            return writers[-1]

        body = app(environ, start)
        if isinstance(body, Stream):
            try:
                writers[-1](b"")
            except BaseException:
                body.close()
                raise
        return body

    return wsgi
