"""What each field of ``bundle.json`` means, with an example: for readers, never for the start.

The Structs of :mod:`bundlevisor.manifest.format.schema` say what a field may hold; annotations that
also say what it means would cost the start milliseconds. The JSON Schema merges both, findings show
the examples where a field is missing, and the documentation is made from them. The names of the
tables are those of the Structs.
"""

from __future__ import annotations

from typing import Any

from bundlevisor.manifest.format.fields import bundle, extensions, service

Field = tuple[str, Any]
"""The meaning, in sentences, and an example of a value as it is written in JSON."""

FIELDS: dict[str, dict[str, Field]] = {**bundle.FIELDS, **service.FIELDS, **extensions.FIELDS}


def meaning(struct: str, field: str) -> str:
    """Return what a field means; empty where that is not written down."""
    return _written(struct, field)[0]


def example(struct: str, field: str) -> Any:
    """Return an example of a field's value; None where there is none."""
    return _written(struct, field)[1]


def _written(struct: str, field: str) -> Field:
    return FIELDS.get(struct, {}).get(field, ("", None))
