"""What a field of a Struct may hold, read from its annotation: for the slow reader only."""

from __future__ import annotations

import functools
import types
import typing
from typing import Any, Literal, Union, get_args, get_origin

import msgspec


class Shape(msgspec.Struct, frozen=True):
    """The allowed values of one place in a document.

    ``kind`` is any, bool, int, float, str, list, dict or struct; ``choices`` are the words of a
    literal; ``item`` is the shape of a list's items or of a dict's values.
    """

    kind: str
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    min_length: int = 0
    item: Shape | None = None
    struct: type[msgspec.Struct] | None = None


class Field(msgspec.Struct, frozen=True):
    """One field of a Struct, under the name that it has in JSON."""

    name: str
    shape: Shape
    required: bool


_ATOMS: dict[object, str] = {bool: "bool", int: "int", float: "float", str: "str", Any: "any"}


@functools.cache
def fields_of(struct: type[msgspec.Struct]) -> dict[str, Field]:
    """Return the fields of a Struct by their names in JSON."""
    return {
        field.encode_name: Field(field.encode_name, shape_of(field.type), field.required)
        for field in msgspec.structs.fields(struct)
    }


def shape_of(annotation: Any) -> Shape:
    """Return the shape of an annotation. ``X | None`` has the shape of X: null is absence."""
    origin = get_origin(annotation)
    if origin is typing.Annotated:
        base, *metas = get_args(annotation)
        return _narrowed(shape_of(base), metas)
    if origin in (Union, types.UnionType):
        (only,) = (part for part in get_args(annotation) if part is not type(None))
        return shape_of(only)
    if origin is Literal:
        return Shape("str", choices=get_args(annotation))
    if origin in (list, dict):
        return Shape(origin.__name__, item=shape_of(get_args(annotation)[-1]))
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return Shape("struct", struct=annotation)
    return Shape(_ATOMS[annotation])


def _narrowed(shape: Shape, metas: list[Any]) -> Shape:
    for meta in metas:
        if meta.ge is not None:
            shape = msgspec.structs.replace(shape, low=meta.ge)
        if meta.le is not None:
            shape = msgspec.structs.replace(shape, high=meta.le)
        if meta.min_length is not None:
            shape = msgspec.structs.replace(shape, min_length=meta.min_length)
    return shape
