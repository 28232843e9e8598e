"""The slow reader: walks a decoded document against the Structs and reports every problem.

It is lenient where Go's ``encoding/json`` is, because Go programs write these files: null is an
absent field, names match in any case (with a warning), and Go's zero (``0``, ``""``, a struct of
such) counts as absent where the field could not hold it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from bundlevisor.manifest.format.document import Extension
from bundlevisor.manifest.format.findings import Report, child
from bundlevisor.manifest.format.schema import Service
from bundlevisor.manifest.format.shape import Field, Shape, fields_of
from bundlevisor.manifest.format.suggest import hint, quoted

_ZERO_SURPRISES = {("SecretGenerator", "length"): "32 letters"}
"""Fields where 0 was hardly meant to be absence, and what is taken."""

_WORDS = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "a string",
    "list": "a list",
    "dict": "an object",
    "struct": "an object",
}
_TYPES: dict[str, tuple[type, ...]] = {
    "bool": (bool,),
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "list": (list,),
    "dict": (dict,),
    "struct": (dict,),
}


def collect(document: object, struct: type[msgspec.Struct], report: Report) -> object:
    """Report everything that keeps ``document`` from being a ``struct``; return what becomes one.

    What was reported as an error is replaced by a stand-in, in its place.
    """
    return _Walk(report).value(document, Shape("struct", struct=struct), "")


class _Walk:
    def __init__(self, report: Report) -> None:
        self._report = report
        self._service = ""

    def value(
        self, raw: object, shape: Shape, path: str, place: tuple[str, str] | None = None
    ) -> Any:
        """Return ``raw`` as its shape wants it; a stand-in when it does not fit (reported).

        ``place`` are the names of the Struct and of its field, if it is one.
        """
        if shape.kind == "any":
            return raw
        if type(raw) is float and shape.kind == "int" and raw.is_integer():
            raw = int(raw)
        if type(raw) not in _TYPES[shape.kind]:
            predicate = f"must be {_WORDS[shape.kind]}, not {_described(raw)}"
            if place and shape.kind in ("struct", "list", "dict"):
                predicate += self._shown("; write", place, raw)
            self._error("wrong_type", path, predicate)
            return stand_in(shape, path)
        if isinstance(raw, dict):
            return self._struct(raw, shape, path) if shape.struct else self._dict(raw, shape, path)
        if isinstance(raw, list):
            return self._list(raw, shape, path)
        return self._atom(raw, shape, path)

    def _atom(self, raw: Any, shape: Shape, path: str) -> Any:
        if isinstance(raw, str):
            return self._text(raw, shape, path)
        if shape.low is not None and raw < shape.low:
            self._error("out_of_range", path, f"is {_short(raw)}; it must be at least {shape.low}")
            return shape.low
        if shape.high is not None and raw > shape.high:
            self._error("out_of_range", path, f"is {_short(raw)}; it must be at most {shape.high}")
            return shape.high
        return raw

    def _text(self, raw: str, shape: Shape, path: str) -> Any:
        if "\0" in raw:
            self._error("nul_character", path, "contains a NUL character; remove it")
        elif shape.choices and raw not in shape.choices:
            known = quoted(shape.choices, "or")
            near = "" if self._report.many else hint(raw, shape.choices)
            self._error("unknown_value", path, f"is '{_cut(raw)}'{near}; it must be {known}")
        elif len(raw) < shape.min_length:
            self._error("empty_value", path, "is empty; fill it in")
        else:
            return raw
        return stand_in(shape, path)

    def _list(self, raw: list[Any], shape: Shape, path: str) -> Any:
        if len(raw) < shape.min_length:
            self._error("empty_value", path, "is empty; it must have at least one item")
            return stand_in(shape, path)
        assert shape.item is not None  # noqa: S101 - for the type checker
        return [self._item(item, shape.item, f"{path}[{place}]") for place, item in enumerate(raw)]

    def _item(self, raw: object, shape: Shape, path: str) -> Any:
        if shape.struct is not Service:
            return self.value(raw, shape, path)
        name = raw.get("id") if isinstance(raw, dict) else None
        self._service = name if isinstance(name, str) else ""
        item = self.value(raw, shape, path)
        self._service = ""
        return item

    def _dict(self, raw: dict[str, Any], shape: Shape, path: str) -> dict[str, Any]:
        assert shape.item is not None  # noqa: S101
        known: dict[str, Any] = {}
        for key, item in raw.items():
            place = child(path, key)
            if shape.item.kind != "any" and "\0" in key:
                self._error("nul_character", place, "has a NUL character in its name; remove it")
            elif item is None and shape.item.kind == "str":
                known[key] = ""
            elif item is not None or shape.item.kind == "any":
                known[key] = self.value(item, shape.item, place)
        return known

    def _struct(self, raw: dict[str, Any], shape: Shape, path: str) -> dict[str, Any]:
        assert shape.struct is not None  # noqa: S101
        fields = fields_of(shape.struct)
        zero_is_absent = not issubclass(shape.struct, Extension)
        owner = shape.struct.__name__
        named = self._named(raw, fields, path, owner)
        known: dict[str, Any] = {}
        for name, field in fields.items():
            item = named.get(name)
            place = child(path, name)
            if item is None or (zero_is_absent and _is_zero(item, field)):
                if (owner, name) in _ZERO_SURPRISES and item is not None:
                    said = f"is read as if it was left out ({_ZERO_SURPRISES[owner, name]})"
                    self._warn("zero_is_default", place, said)
                if field.required:
                    self._missing(place, (owner, name), raw, item)
                    known[name] = stand_in(field.shape, place)
            else:
                known[name] = self.value(item, field.shape, place, (owner, name))
        return known

    def _named(
        self, raw: dict[str, Any], fields: dict[str, Field], path: str, owner: str
    ) -> dict[str, Any]:
        """Return the values by the names of the fields; warn of all other names."""
        named: dict[str, Any] = {}
        for key, item in raw.items():
            folded = key.lower()
            if key in fields:
                named[key] = item
            elif folded in fields and folded not in raw:
                named[folded] = item
                self._warn("field_case", child(path, key), f"is read as '{folded}'; write it so")
            else:
                self._unknown(owner, key, raw, fields, child(path, key))
        return named

    def _unknown(
        self, owner: str, key: str, raw: dict[str, Any], fields: dict[str, Field], path: str
    ) -> None:
        from bundlevisor.manifest.read.foreign_words import foreign_word

        if said := foreign_word(owner, key, raw[key], raw):
            report = self._error if said.is_error else self._warn
            report("foreign_word", path, said.predicate)
        else:
            near = "" if self._report.many else hint(key, fields)
            self._warn("unknown_field", path, f"is no field of the format{near}")

    def _shown(self, words: str, place: tuple[str, str], raw: object = None) -> str:
        """Return words and how a field is written; nothing where so much is wrong already."""
        if self._report.many:
            return ""
        from bundlevisor.manifest.read.foreign_words import written

        return f"{words} {written(*place, raw)}"

    def _missing(
        self, path: str, place: tuple[str, str], raw: dict[str, Any], item: object
    ) -> None:
        such = self._shown(", such as", place)
        if item is None and place[1] not in raw:
            self._error("missing_field", path, f"is missing; add it{such}")
        elif item is None:
            self._error("missing_field", path, f"is null; fill it in{such}")
        else:
            self._error("empty_value", path, f"is empty; fill it in{such}")

    def _error(self, code: str, path: str, predicate: str) -> None:
        self._report.error(code, path, f"{path or 'the bundle'} {predicate}.", self._service)

    def _warn(self, code: str, path: str, predicate: str) -> None:
        self._report.warning(code, path, f"{path} {predicate}.", self._service)


def stand_in(shape: Shape, path: str) -> Any:
    """Return a value of this shape. That of an id is the path of what it names."""
    if shape.struct:
        return {
            name: stand_in(field.shape, child(path, name))
            for name, field in fields_of(shape.struct).items()
            if field.required
        }
    if shape.kind == "str":
        return shape.choices[0] if shape.choices else path.removesuffix(".id")
    if shape.kind == "list":
        assert shape.item is not None  # noqa: S101
        return [stand_in(shape.item, f"{path}[0]")] * shape.min_length
    return {"dict": {}, "bool": False}.get(shape.kind, int(shape.low or 0))


def _is_zero(value: object, field: Field) -> bool:
    """Whether a value is what Go writes for an absent field, and the field cannot hold it."""
    shape = field.shape
    if type(value) is str:
        return value == "" and shape.kind == "str" and bool(shape.choices or shape.min_length)
    if field.required:
        return False
    if shape.kind == "struct":
        return isinstance(value, dict) and _all_zero(value, shape)
    return type(value) in (int, float) and value == 0 and shape.low is not None and shape.low > 0


def _all_zero(value: dict[str, Any], shape: Shape) -> bool:
    """Whether an object says nothing and could not be read as it is."""
    assert shape.struct is not None  # noqa: S101
    fields = fields_of(shape.struct)
    needy = any(field.required for field in fields.values())
    return needy and all(
        key in fields and (item is None or item in (0, "") or item in ([], {}))
        for key, item in value.items()
    )


def _described(raw: object) -> str:
    if isinstance(raw, str):
        return f"the string '{_cut(raw)}'"
    if raw is None:
        return "null"
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, dict):
        return "an object"
    return "a list" if isinstance(raw, list) else _short(raw)


def _short(number: object) -> str:
    return "huge" if isinstance(number, int) and number.bit_length() >= 128 else repr(number)


def _cut(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
