"""``GET /openapi.json``: what this API answers, generated from the Structs that it answers with."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from bundlevisor.control.wire.bodies import Body, Error
from bundlevisor.control.wire.operations import OPERATIONS, Operation, Parameter

if TYPE_CHECKING:
    import falcon

    from bundlevisor.control.wire.facade import Runtime

REFERENCES = "#/components/schemas/{name}"
REASONS = {
    200: "what was asked for",
    202: "accepted",
    400: "the request is not as expected",
    401: "the token is missing or wrong",
    403: "the Host or Origin header is not loopback",
    404: "no such service",
    409: "the state of the service forbids it",
    413: "the body is larger than 1 MiB",
    415: "the body is not JSON",
    429: "too many streams or waits",
    500: "an error of the runtime",
    503: "not now: stopping, or not ready",
}
STREAMED = {"/events": "text/event-stream"}


class OpenApiResource:
    """The description, made at the first request."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Answer 200."""
        resp.content_type = "application/json"
        resp.data = document(self._runtime.facts.runtime_version)


@cache
def document(version: str) -> bytes:
    """Return the OpenAPI 3.1 document as JSON."""
    shapes = _shapes()
    schemas, components = msgspec.json.schema_components(shapes, ref_template=REFERENCES)
    schema_of = dict(zip(shapes, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation, schema_of)
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {"title": "bundlevisor control API", "version": version},
            "paths": paths,
            "components": {
                "schemas": components,
                "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            },
            "security": [{"token": []}],
        }
    )


def _shapes() -> list[type[Body]]:
    found: dict[type[Body], None] = {Error: None}
    for operation in OPERATIONS:
        answers = [answer for answer in operation.answers.values() if not isinstance(answer, str)]
        found.update(dict.fromkeys(answers))
        if operation.request is not None:
            found[operation.request] = None
    return list(found)


def _operation(operation: Operation, schema_of: dict[type[Body], Any]) -> dict[str, Any]:
    refusals: dict[int, type[Body] | str] = {403: Error, 500: Error}
    if not operation.open:
        refusals[401] = Error
    if operation.parameters or operation.request:
        refusals[400] = Error
    answers = refusals | dict(operation.answers)
    described: dict[str, Any] = {
        "summary": operation.text,
        "operationId": _name(operation),
        "parameters": [_parameter(parameter) for parameter in operation.parameters],
        "responses": {
            str(status): _answer(operation, status, answers[status], schema_of)
            for status in sorted(answers)
        },
    }
    if operation.open:
        described["security"] = []
    if operation.request is not None:
        content = {"application/json": {"schema": schema_of[operation.request]}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _answer(
    operation: Operation,
    status: int,
    answer: type[Body] | str,
    schema_of: dict[type[Body], Any],
) -> dict[str, Any]:
    if isinstance(answer, str):
        content: dict[str, Any] = {answer: {}}
    else:
        content = {"application/json": {"schema": schema_of[answer]}}
        if status == 200 and operation.path in STREAMED:
            content[STREAMED[operation.path]] = {}
    return {"description": REASONS[status], "content": content}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.required,
        "description": parameter.text,
        "schema": {"type": parameter.kind},
    }


def _name(operation: Operation) -> str:
    words = operation.path.replace("{service_id}", "").replace(".json", "").split("/")
    return "_".join([operation.method, *filter(None, words)])
