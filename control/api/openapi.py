"""``GET /openapi.json``: what this API answers, generated from the Structs that it answers with."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from bundlevisor.control.api.timeline import SVG
from bundlevisor.control.wire.bodies import Error, Event
from bundlevisor.control.wire.errors import TOO_LARGE
from bundlevisor.control.wire.health import Body
from bundlevisor.control.wire.lanes import EVENT_STREAM
from bundlevisor.control.wire.operations import OPERATIONS, Operation
from bundlevisor.control.wire.parameters import Parameter
from bundlevisor.manifest.format.loopback import url_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import falcon

    from bundlevisor.control.wire.facade import Facts, RuntimeApi
    from bundlevisor.manifest.format.secret import Secret

REFERENCES = "#/components/schemas/{name}"
REASONS = {
    200: "what was asked for",
    202: "accepted",
    400: "the request is not as expected",
    401: "the token is missing or wrong",
    403: "the Host or Origin header is not loopback",
    404: "no such service",
    409: "the state of the service forbids it",
    413: TOO_LARGE,
    415: "the body is not JSON",
    429: "too many streams or waits",
    500: "an error of the runtime",
    503: "not now: stopping, or not ready",
}
VALUE = r"^[^\u0000]*[^\s\u0000][^\u0000]*$"
"""A value is not blank, and has no NUL."""
OWN_SYNTAX = re.compile(r"\\|\(\?|\[\[:")
"""What RE2, which matches formats, and ECMAScript, which JSON Schema has, may read differently."""
FOR_ACCEPT = {"/events": EVENT_STREAM, "/timeline": SVG}
"""What an address answers in place of JSON when the Accept header asks for it."""


class OpenApiResource:
    """The description, made at the first request."""

    def __init__(self, runtime: RuntimeApi) -> None:
        self._runtime = runtime

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Answer 200."""
        resp.content_type = "application/json"
        resp.data = self._document

    @cached_property
    def _document(self) -> bytes:
        return document(self._runtime.facts)


def document(facts: Facts) -> bytes:
    """Return the OpenAPI 3.1 document of an instance as JSON."""
    shapes = _shapes()
    schemas, components = msgspec.json.schema_components(shapes, ref_template=REFERENCES)
    components["SecretValues"]["properties"]["secrets"] = _values(facts.manifest.secrets)
    components["EventPage"]["properties"]["events"]["items"] = _reference(Event)
    components["Event"]["properties"]["event"] = _event_names()
    schema_of = dict(zip(shapes, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation, schema_of)
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {"title": "bundlevisor control API", "version": facts.runtime_version},
            "servers": [{"url": url_of(facts.ipc_host, facts.ipc_port)}],
            "paths": paths,
            "components": {
                "schemas": {name: _typed(schema) for name, schema in components.items()},
                "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            },
            "security": [{"token": []}],
        }
    )


def _values(secrets: Iterable[Secret]) -> dict[str, Any]:
    """Return the schema of what ``POST /secrets`` takes: the secrets of this bundle, as texts."""
    properties: dict[str, dict[str, Any]] = {}
    for secret in secrets:
        properties[secret.id] = {"type": "string", "pattern": VALUE}
        if secret.format and not OWN_SYNTAX.search(secret.format):
            properties[secret.id]["allOf"] = [{"pattern": secret.format}]
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _reference(shape: type[Body]) -> dict[str, str]:
    return {"$ref": REFERENCES.format(name=shape.__name__)}


def _event_names() -> dict[str, Any]:
    from bundlevisor.actors.telemetry.catalogue import EVENTS

    meanings = "; ".join(f"{name}: {kind.meaning}" for name, kind in EVENTS.items())
    return {"type": "string", "enum": list(EVENTS), "description": meanings}


def _typed(node: Any) -> Any:
    """Return a schema with the type beside each enum, which generators of clients look for."""
    if isinstance(node, list):
        return [_typed(one) for one in node]
    if not isinstance(node, dict):
        return node
    typed = {key: _typed(value) for key, value in node.items()}
    words = typed.get("enum")
    if isinstance(words, list) and all(isinstance(word, str) for word in words):
        typed.setdefault("type", "string")
    return typed


def _shapes() -> list[type[Body]]:
    found: dict[type[Body], None] = {Error: None, Event: None}
    for operation in OPERATIONS:
        answers = [answer for answer in operation.answers.values() if not isinstance(answer, str)]
        found.update(dict.fromkeys(answers))
        if operation.request is not None:
            found[operation.request] = None
    return list(found)


def _operation(operation: Operation, schema_of: dict[type[Body], Any]) -> dict[str, Any]:
    refusals: dict[int, type[Body] | str] = {400: Error, 403: Error, 500: Error}
    if not operation.open:
        refusals[401] = Error
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
        if status == 200 and operation.path in FOR_ACCEPT:
            content[FOR_ACCEPT[operation.path]] = {}
    return {"description": REASONS[status], "content": content}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.required,
        "description": parameter.text,
        "schema": _schema(parameter),
    }


def _schema(parameter: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": parameter.kind}
    if parameter.kind == "string":
        schema["minLength"] = 1
    elif parameter.kind in ("integer", "number") and not parameter.clamped:
        schema["minimum"] = parameter.lowest
        if parameter.highest is not None:
            schema["maximum"] = parameter.highest
    elif parameter.clamped:
        schema["description"] = (
            f"taken as the nearest number from {parameter.lowest} to {parameter.highest}"
        )
    if parameter.words:
        schema = {"oneOf": [schema, {"type": "string", "enum": list(parameter.words)}]}
    if parameter.default is not None:
        schema["default"] = parameter.default
    return schema


def _name(operation: Operation) -> str:
    words = operation.path.replace("{service_id}", "").replace(".json", "").split("/")
    return "_".join([operation.method, *filter(None, words)])
