"""The table of everything that the control API answers; ``/openapi.json`` is made from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from bundlevisor.control.wire import bodies
from bundlevisor.control.wire.errors import Refusal
from bundlevisor.control.wire.health import Body, Health
from bundlevisor.control.wire.parameters import (
    AFTER,
    CHANGE,
    CHANGED_AFTER,
    COMMANDED,
    EARLIER,
    FOLLOW,
    FOLLOW_LINES,
    LIMIT,
    LINES,
    PREVIOUS,
    SERVICE,
    SERVICES,
    SINCE,
    STRICT,
    TAIL_LINES,
    WAIT,
    Parameter,
    unknown_parameter,
)


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One method of one path; an answer is a Struct for JSON, or a media type."""

    path: str
    text: str
    answers: Mapping[int, type[Body] | str]
    method: Literal["get", "post"] = "get"
    parameters: tuple[Parameter, ...] = ()
    request: type[Body] | None = None
    open: bool = False
    """Whether it is answered without the token."""


PLAIN = "text/plain; charset=utf-8"
NDJSON = "application/x-ndjson"
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
"""Said by us, since the library's version differs from release to release, our numbers do not."""


def _command(action: str, text: str) -> Operation:
    return Operation(
        method="post",
        path=f"/services/{{service_id}}/{action}",
        text=text,
        parameters=(COMMANDED, WAIT),
        answers=dict.fromkeys((404, 409, 429, 503), bodies.Error) | {202: bodies.ServiceCommand},
    )


def _shutdown(method: Literal["get", "post"], text: str) -> Operation:
    return Operation(method=method, path="/shutdown", text=text, answers={202: bodies.Stopping})


OPERATIONS = (
    Operation(
        path="/healthz",
        text="Whether the supervisor answers, and how the bundle is.",
        answers={200: Health, 503: Health},
        open=True,
    ),
    Operation(
        path="/readyz",
        text="Which services are ready, and what the others wait for.",
        parameters=(WAIT, CHANGE, CHANGED_AFTER, STRICT),
        answers={200: bodies.Readiness, 429: bodies.Error, 503: bodies.Readiness},
    ),
    Operation(path="/ports", text="Where the services listen.", answers={200: bodies.Ports}),
    Operation(
        path="/logs/tail",
        text="The last lines of a service's log.",
        parameters=(SERVICE, TAIL_LINES),
        answers={200: PLAIN, 404: bodies.Error},
    ),
    Operation(
        path="/logs/follow",
        text="A service's log as it grows.",
        parameters=(SERVICE, FOLLOW_LINES),
        answers={200: PLAIN, 404: bodies.Error, 429: bodies.Error},
    ),
    Operation(
        path="/logs/lines",
        text="Lines of several services in the order of time, each as JSON: service, time, line.",
        parameters=(SERVICES, LINES, SINCE, PREVIOUS, FOLLOW),
        answers={200: NDJSON, 404: bodies.Error, 429: bodies.Error},
    ),
    _shutdown("post", "The orderly stop of everything."),
    _shutdown("get", "The same, for clients of the Go runtime."),
    Operation(path="/secrets", text="The secrets of the bundle.", answers={200: bodies.Secrets}),
    Operation(
        method="post",
        path="/secrets",
        text="Store values: all of them, or none.",
        request=bodies.SecretValues,
        answers=dict.fromkeys((413, 415, 503), bodies.Error)
        | {200: bodies.Stored, 400: bodies.SecretsError},
    ),
    Operation(
        path="/validate",
        text="All the problems of the bundle.",
        answers={200: bodies.Validation, 429: bodies.Error},
    ),
    Operation(
        path="/status",
        text="The instance, and what each service is doing and using.",
        answers={200: bodies.Status},
    ),
    Operation(
        path="/telemetry",
        text="Where the events are written.",
        answers={200: bodies.Telemetry},
    ),
    Operation(
        path="/timeline",
        text="What took how long from exec to ready; Accept: image/svg+xml gives the picture.",
        parameters=(EARLIER,),
        answers={200: bodies.Timelines},
    ),
    _command("start", "Start a service, and what it needs."),
    _command("stop", "Stop a service for good, its dependents first."),
    _command("restart", "Stop and start a service."),
    Operation(
        path="/events",
        text="The telemetry events: a page; for Accept: text/event-stream a stream, with a"
        " 'progress' (without a number) whenever that of /readyz changes.",
        parameters=(AFTER, LIMIT, WAIT),
        answers={200: bodies.EventPage, 429: bodies.Error},
    ),
    Operation(path="/metrics", text="Numbers for Prometheus.", answers={200: PROMETHEUS}),
    Operation(
        method="post",
        path="/ui/codes",
        text="A code that lets a browser into the dashboard under /ui/: good once, for a minute.",
        answers={200: bodies.DashboardCode},
    ),
    Operation(path="/openapi.json", text="This document.", answers={200: "application/json"}),
)


def _names_by_path() -> dict[str, dict[str, None]]:
    known: dict[str, dict[str, None]] = {}
    for operation in OPERATIONS:
        names = (one.name for one in operation.parameters if one.place == "query")
        known.setdefault(operation.path, {}).update(dict.fromkeys(names))
    return known


PARAMETERS = _names_by_path()
"""The names of the parameters in the query, by path."""


def refuse_unknown_parameters(template: str, path: str, names: Iterable[str]) -> None:
    """Raise Refusal 400 for a parameter that a path does not have: nothing is passed over."""
    known = PARAMETERS.get(template, {})
    for name in names:
        if name not in known:
            raise Refusal(400, "unknown_parameter", unknown_parameter(path, name, known))
