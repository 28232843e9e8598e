"""What is different in a bundle since it was started, by the places of its parts. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from bundlevisor.manifest.format.findings import child
from bundlevisor.manifest.format.schema import Manifest

NAMES = ("id", "name")
"""By which members the items of lists are known."""
NAMED = 10
"""How many places, errors or files an event names."""


def differences(before: Manifest, after: Manifest) -> tuple[str, ...]:
    """Return each place that is different, such as ``services.api.env.LEVEL (changed)``."""
    old, new = msgspec.to_builtins(before), msgspec.to_builtins(after)
    return tuple(_of(_by_name(old), _by_name(new), ""))


def details(changes: Sequence[str], errors: Sequence[str]) -> dict[str, list[str]]:
    """Return what ``bundle_changed`` tells: what is different, and why it could not be started."""
    return {"changes": list(changes[:NAMED]), "errors": list(errors[:NAMED])}


def _of(old: Any, new: Any, path: str) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in {**old, **new}:
            place = child(path, key)
            if key not in old:
                yield f"{place} (new)"
            elif key not in new:
                yield f"{place} (gone)"
            else:
                yield from _of(old[key], new[key], place)
    elif old != new:
        yield f"{path} (changed)"


def _by_name(value: Any) -> Any:
    """Return a value whose lists of named items are objects, as far as that can be."""
    if isinstance(value, dict):
        return {key: _by_name(one) for key, one in value.items()}
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value) or not value:
        return value
    for name in NAMES:
        ids = [one.get(name) for one in value]
        if all(isinstance(id_, str) for id_ in ids) and len(set(ids)) == len(ids):
            return {id_: _by_name(one) for id_, one in zip(ids, value, strict=True)}
    return value
