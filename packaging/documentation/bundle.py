"""``docs/bundle.md``: every field of ``bundle.json``, from the JSON Schema."""

from __future__ import annotations

import json
import re
from typing import Any

from bundlevisor.manifest.format.json_schema import json_schema

Schema = dict[str, Any]


def page() -> str:
    """Return a section for each kind of object, in the order in which they are met."""
    schema = json_schema(strict=True)
    kinds: Schema = schema["$defs"]
    order = list(met(schema, kinds))
    return "\n\n".join(section(name, kinds[name]) for name in order)


def met(value: Any, kinds: Schema, seen: dict[str, None] | None = None) -> dict[str, None]:
    """Return the names of all objects that a schema leads to, the first met first."""
    seen = {} if seen is None else seen
    if isinstance(value, dict):
        name = value.get("$ref", "").rpartition("/")[2]
        if name in kinds and name not in seen:
            seen[name] = None
            met(kinds[name], kinds, seen)
        for key, item in value.items():
            if key != "$defs":
                met(item, kinds, seen)
    elif isinstance(value, list):
        for item in value:
            met(item, kinds, seen)
    return seen


def section(name: str, kind: Schema) -> str:
    """Return heading, words and table of one kind of object, or the words of an enum."""
    head = f"## {name}\n\n{told(kind)}".rstrip()
    if "enum" in kind:
        return f"{head}\n\nOne of {', '.join(f'`{word}`' for word in kind['enum'])}."
    required = kind.get("required", ())
    rows = [
        row(field, shape, needed=field in required)
        for field, shape in kind.get("properties", {}).items()
    ]
    if not rows:
        return head
    return "\n".join([head, "", "| field | type | default | meaning |", "|---|---|---|---|", *rows])


def row(field: str, shape: Schema, *, needed: bool) -> str:
    """Return one field's line of the table."""
    default = "**required**" if needed else coded(shape["default"]) if "default" in shape else ""
    meaning = told(shape)
    examples = "; ".join(coded(example) for example in shape.get("examples", ()))
    text = f"{meaning} Example: {examples}" if examples else meaning
    return " | ".join([f"| `{field}`", cell(kind_of(shape)), cell(default), f"{cell(text)} |"])


def kind_of(shape: Schema) -> str:
    """Return the type of a field in words, with a link to the object that it is."""
    if "$ref" in shape:
        name = shape["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in shape:
        return " or ".join(kind_of(one) for one in shape["anyOf"])
    if "enum" in shape or "const" in shape:
        return " or ".join(f"`{word}`" for word in shape.get("enum", [shape.get("const")]))
    if shape.get("type") == "array":
        return f"list of {kind_of(shape.get('items', {}))}"
    values = shape.get("additionalProperties")
    if shape.get("type") == "object" and isinstance(values, dict):
        return f"object: name → {kind_of(values)}"
    return str(shape.get("type", "anything")) + bounds(shape)


def bounds(shape: Schema) -> str:
    """Return the least and the most that a number may be."""
    low, high = shape.get("minimum"), shape.get("maximum")
    if low is None and high is None:
        return ""
    return f" {low if low is not None else ''}…{high if high is not None else ''}"


def told(shape: Schema) -> str:
    """Return the description in one paragraph, what is quoted in it as code."""
    text = " ".join(shape.get("description", "").replace("``", "`").split())
    text = re.sub(r"(?<!\w)'([^' ]+)'(?!\w)", r"`\1`", text)
    return re.sub(r"<(?=[^`]*(?:`[^`]*`[^`]*)*$)", "&lt;", text)


def coded(value: Any) -> str:
    """Return a JSON value as code."""
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def cell(text: str) -> str:
    """Return a text that ends no column."""
    return text.replace("|", "\\|")
