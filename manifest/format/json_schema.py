"""The JSON Schema of ``bundle.json``, made from the Structs: imported only when asked for.

As it is, it takes what the runtime takes: unknown fields, which are warnings, and null, ``""`` and
0 where Go programs write them for a field that is absent. The strict one is for editors: it takes
what an author should write. Rules that concern more than one field are neither's.
"""

from __future__ import annotations

from typing import Any

import msgspec

from bundlevisor.manifest.format import fields
from bundlevisor.manifest.format.document import Extension
from bundlevisor.manifest.format.schema import LONGEST_ID, MODES, TARGET, TYPES, VERSIONS, Manifest
from bundlevisor.manifest.format.shape import Field, Shape, fields_of

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ID = "urn:bundlevisor:bundle-schema:v0.1"
"""Names the schema; there is nothing to fetch."""
ABSENT = "Absent"
"""Begins the names of the definitions of objects that only say that there is none."""

_ID = "^[A-Za-z0-9][A-Za-z0-9._-]*$"
_SYSTEMS = "linux|darwin|mac|macos|win|windows|win32"
_PLATFORM = f"^(universal|({_SYSTEMS})-(x64|amd64|x86_64|arm64|aarch64))$"
_VARIABLES = {"propertyNames": {"pattern": "^[^=]+$"}}
_RULES: dict[tuple[str, str], dict[str, Any]] = {
    ("Manifest", "schema_version"): {"enum": list(VERSIONS)},
    ("Manifest", "target"): {"enum": [TARGET]},
    ("Ipc", "mode"): {"enum": list(MODES)},
    ("Service", "id"): {"pattern": _ID, "maxLength": LONGEST_ID},
    ("Service", "env"): _VARIABLES,
    ("Binary", "env"): _VARIABLES,
    ("Migration", "env"): _VARIABLES,
}
"""What the rules of :mod:`bundlevisor.manifest.check` say of one field alone."""
_STRICT_RULES: dict[tuple[str, str], dict[str, Any]] = {
    ("Service", "type"): {"enum": sorted(TYPES)},
    ("Service", "binaries"): {"propertyNames": {"pattern": _PLATFORM}},
    ("Asset", "sha256"): {"pattern": "^(pending|[0-9A-Fa-f]{64})?$"},
}
"""What only warns."""


def json_schema(*, strict: bool = False) -> dict[str, Any]:
    """Return the schema; a ``strict`` one refuses unknown fields and what stands for absence."""
    made = _Maker(strict)
    made.define(Manifest)
    return {
        "$schema": DIALECT,
        "$id": f"{ID}:strict" if strict else ID,
        "title": "Desktop bundle manifest v0.1",
        "$ref": "#/$defs/Manifest",
        "$defs": dict(sorted(made.definitions.items())),
    }


def text(*, strict: bool = False) -> str:
    """Return the schema as indented JSON that ends with a newline."""
    encoded = msgspec.json.encode(json_schema(strict=strict))
    return msgspec.json.format(encoded).decode() + "\n"


class _Maker:
    def __init__(self, strict: bool) -> None:
        self.definitions: dict[str, Any] = {}
        self._strict = strict

    def define(self, struct: type[msgspec.Struct]) -> dict[str, Any]:
        """Return a reference to the Struct's definition, which is made if it is not there."""
        name = struct.__name__
        if name not in self.definitions:
            self.definitions[name] = {}
            self.definitions[name] = self._of_struct(struct)
        return {"$ref": f"#/$defs/{name}"}

    def _of_struct(self, struct: type[msgspec.Struct]) -> dict[str, Any]:
        known = fields_of(struct)
        made: dict[str, Any] = {
            "title": struct.__name__,
            "description": _first_sentence(struct),
            "type": "object",
            "properties": {name: self._of_field(struct, field) for name, field in known.items()},
        }
        if required := [name for name, field in known.items() if field.required]:
            made["required"] = required
        if self._strict:
            made["additionalProperties"] = False
        return made

    def _of_field(self, struct: type[msgspec.Struct], field: Field) -> dict[str, Any]:
        place = (struct.__name__, field.name)
        made = {**self._of_shape(field.shape), **_RULES.get(place, {})}
        if self._strict:
            made |= _STRICT_RULES.get(place, {})
        elif not field.required and field.shape.kind != "any":
            made = self._or_absent(made, field.shape, struct)
        meaning, example = fields.FIELDS[place[0]][place[1]]
        made = {"description": meaning, **made, "examples": [example]}
        if not field.required:
            made["default"] = default_of(struct, field.name)
        return made

    def _of_shape(self, shape: Shape) -> dict[str, Any]:
        if shape.struct:
            return self.define(shape.struct)
        if shape.choices:
            return {"type": "string", "enum": sorted(shape.choices)}
        types = {"bool": "boolean", "int": "integer", "float": "number", "str": "string"}
        types |= {"list": "array", "dict": "object"}
        made: dict[str, Any] = {"type": types[shape.kind]} if shape.kind in types else {}
        if shape.low is not None:
            made["minimum"] = shape.low
        if shape.high is not None:
            made["maximum"] = shape.high
        if shape.min_length:
            made["minItems" if shape.kind == "list" else "minLength"] = shape.min_length
        if shape.item and shape.kind == "list":
            made["items"] = self._of_shape(shape.item)
        if shape.item and shape.kind == "dict":
            item = self._of_shape(shape.item)
            if not self._strict and shape.item.kind != "any":
                item = {"anyOf": [item, {"type": "null"}]}
            made["additionalProperties"] = item
        return made

    def _or_absent(
        self, made: dict[str, Any], shape: Shape, owner: type[msgspec.Struct]
    ) -> dict[str, Any]:
        """Add what else than nothing means that a field is absent (see manifest.read.collect)."""
        ours = issubclass(owner, Extension)
        if shape.struct:
            needy = any(field.required for field in fields_of(shape.struct).values())
            absent = [self._define_absent(shape.struct)] if needy and not ours else []
            return {"anyOf": [made, *absent, {"type": "null"}]}
        made = {**made, "type": [made["type"], "null"]}
        if shape.choices:
            made["enum"] = [*made["enum"], *([] if ours else [""]), None]
        elif not ours and shape.low == 1:
            made["minimum"] = 0
        elif not ours and shape.kind == "str":
            made.pop("minLength", None)
        return made

    def _define_absent(self, struct: type[msgspec.Struct]) -> dict[str, Any]:
        name = f"{ABSENT}{struct.__name__}"
        zero: dict[str, Any] = {"enum": [None, 0, "", False, [], {}]}
        self.definitions[name] = {
            "description": "What Go programs write for none.",
            "type": "object",
            "propertyNames": {"enum": list(fields_of(struct))},
            "additionalProperties": zero,
        }
        return {"$ref": f"#/$defs/{name}"}


def default_of(struct: type[msgspec.Struct], name: str) -> Any:
    """Return the default of a field, by its name in JSON, as JSON has it."""
    for field in msgspec.structs.fields(struct):
        if field.encode_name == name:
            if field.default_factory is not msgspec.NODEFAULT:
                return msgspec.to_builtins(field.default_factory())
            return msgspec.to_builtins(field.default)
    raise KeyError(name)


def _first_sentence(struct: type[msgspec.Struct]) -> str:
    """Return what the Struct's docstring begins with, without its marks of code."""
    first = (struct.__doc__ or "").partition("\n\n")[0]
    return " ".join(first.split()).replace("``", "'")
