"""The JSON Schema of ``bundle.json``, made from the Structs: imported only when asked for."""

from __future__ import annotations

from typing import Any

import msgspec

from bundlevisor.manifest.format.schema import Manifest

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """Return the schema. Unknown fields are allowed: they are warnings, never errors."""
    schema = _opened(msgspec.json.schema(Manifest))
    title = "Desktop bundle manifest v0.1"
    return {"$schema": DIALECT, "title": title, **schema}


def text() -> str:
    """Return the schema as indented JSON that ends with a newline."""
    return msgspec.json.format(msgspec.json.encode(json_schema()), indent=2).decode() + "\n"


def _opened(value: Any) -> Any:
    """Drop ``additionalProperties: false``, which only steers the reader."""
    if isinstance(value, dict):
        return {
            key: _opened(item)
            for key, item in value.items()
            if not (key == "additionalProperties" and item is False)
        }
    return [_opened(item) for item in value] if isinstance(value, list) else value
