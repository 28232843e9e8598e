"""``electron/lib/api.js``: the types of the control API's answers as JSDoc, from its OpenAPI."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from bundlevisor.control.api.openapi import document

HEAD = """"use strict";
// Written by packaging/pages.py from the control API's Structs: change nothing here.

"""
TAIL = "\n\nmodule.exports = {};\n"
WORDS = {
    "integer": "number",
    "number": "number",
    "string": "string",
    "boolean": "boolean",
    "null": "null",
}
LEFT_OUT = {"Error"}
"""It would hide JavaScript's own; the package has errors of its own."""


def module() -> str:
    """Return the module: a type for each body, by name."""
    manifest = SimpleNamespace(secrets=())
    facts: Any = SimpleNamespace(
        ipc_host="127.0.0.1", ipc_port=0, runtime_version="", manifest=manifest
    )
    schemas = json.loads(document(facts))["components"]["schemas"]
    types = (typedef(name, schemas[name]) for name in sorted(schemas.keys() - LEFT_OUT))
    return HEAD + "\n\n".join(types) + TAIL


def typedef(name: str, schema: dict[str, Any]) -> str:
    """Return the comment that defines a type."""
    text = said(schema)
    if "properties" not in schema:
        return f"/** {text} @typedef {{{kind(schema)}}} {name} */"
    required = schema.get("required", ())
    lines = ["/**", f" * {text}", " *", f" * @typedef {{Object}} {name}"]
    for key, value in schema["properties"].items():
        field = key if key in required else f"[{key}]"
        lines.append(f" * @property {{{kind(value)}}} {field} {said(value)}".rstrip())
    return "\n".join([*lines, " */"])


def kind(schema: dict[str, Any]) -> str:
    """Return what TypeScript calls the type."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    if "anyOf" in schema:
        return " | ".join(map(kind, schema["anyOf"]))
    if schema.get("type") == "array":
        return f"({kind(schema.get('items', {}))})[]"
    if schema.get("type") == "object":
        values = schema.get("additionalProperties")
        return f"Record<string, {kind(values) if isinstance(values, dict) else 'unknown'}>"
    return WORDS.get(schema.get("type", ""), "unknown")


def said(schema: dict[str, Any]) -> str:
    """Return a description on one line, and none that would end the comment."""
    return " ".join(schema.get("description", "").split()).replace("*/", "* /")
