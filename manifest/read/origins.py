"""Where a value of a merged bundle was written: in which overlay, and at what place there."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from bundlevisor.manifest.format.findings import Finding, child

Steps = tuple[str, ...]
"""The way to a value: names of members, and of items in lists that are merged by name."""

_STEP = re.compile(r'\.?[^.\[\]"]+|\["(?:\\.|[^"\\])*"\]|\[(\d+)\]')


class Origins:
    """What the overlays have written: the file, and the JSON path in it, by the steps to it."""

    def __init__(self) -> None:
        self.places: dict[Steps, tuple[str, str]] = {}
        self.removed: dict[Steps, str] = {}
        """What the overlays have taken away, and the file that did."""
        self.document: Any
        """The merged bundle, to which the paths of findings lead."""


LOST = {"unknown_dependency": "service", "unknown_secret": "secret"}
"""Findings about what is not there, and what it would be."""


def told_of_removal(finding: Finding, origins: Origins) -> Finding:
    """Return a finding that misses what an overlay has taken away with that said."""
    kind = LOST.get(finding.code)
    for (*among, id_), file in origins.removed.items():
        if among == [f"{kind}s"] and f"there is no {kind} '{id_}'" in finding.message:
            sentence = f"{finding.message.removesuffix('.')}: {file} removes it."
            return msgspec.structs.replace(finding, message=sentence)
    return finding


def origin_of(finding: Finding, origins: Origins, naming: Callable[[Steps], str | None]) -> Finding:
    """Return the finding as the author of the overlay reads it; else as it is.

    ``naming`` says by which member the items of a list are known.
    """
    if finding.file:
        return finding
    finding = told_of_removal(finding, origins)
    walked = _walk(finding.path, origins.document, naming)
    for length in range(len(walked), 0, -1):
        steps = tuple(step for step, _ in walked[:length])
        if steps in origins.places:
            file, place = origins.places[steps]
            path = place + "".join(text for _, text in walked[length:])
            message = _moved(finding.message, finding.path, path)
            return msgspec.structs.replace(finding, path=path, message=message, file=file)
    return finding


def _moved(sentence: str, old: str, new: str) -> str:
    """Return a sentence with another path in the place of this one."""
    whole = rf"""(?<![\w.\]"']){re.escape(old)}(?![\w\["']|\.\w)"""
    return re.sub(whole, lambda _: new, sentence)


def _walk(path: str, document: Any, naming: Callable[[Steps], str | None]) -> list[tuple[str, str]]:
    """Return the steps of a finding's path, each with its text in it."""
    walked: list[tuple[str, str]] = []
    value = document
    for match in _STEP.finditer(path):
        number = match.group(1)
        if number is not None:
            items = value if isinstance(value, list) else []
            value = items[int(number)] if int(number) < len(items) else None
            name = naming(tuple(step for step, _ in walked))
            known = value.get(name) if name and isinstance(value, dict) else None
            step = known if isinstance(known, str) else f"[{number}]"
        else:
            members = value if isinstance(value, dict) else {}
            step = _member(match.group().removeprefix("."), members)
            value = members.get(step)
        walked.append((step, match.group()))
    return walked


def _member(written: str, members: dict[str, Any]) -> str:
    """Return the name of a member that is written so in a path."""
    if not written.startswith("["):
        return written
    return next((name for name in members if child("", name) == written), written)
