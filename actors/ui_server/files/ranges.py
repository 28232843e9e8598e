"""Which bytes a Range header asks for (RFC 9110, section 14)."""

from __future__ import annotations

import itertools
import re

import msgspec

MOST_PARTS = 16
"""More parts than this after merging is an attack or a mistake: the whole file is sent."""

_SPEC = re.compile(r"([0-9]{0,19})-([0-9]{0,19})")


class Part(msgspec.Struct, frozen=True):
    """Bytes ``start`` to ``stop``, which is excluded."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        """Number of bytes."""
        return self.stop - self.start

    def content_range(self, size: int) -> str:
        """The Content-Range of this part of a file of ``size`` bytes."""
        return f"bytes {self.start}-{self.stop - 1}/{size}"


def parse(header: str, size: int) -> list[Part] | None:
    """Return the satisfiable parts; ``[]``: none (416); None: send the whole file instead.

    None for another unit, for what is no range at all, and for more than :data:`MOST_PARTS`.
    Parts that touch or overlap are merged, the others stay in the order in which they were asked.
    """
    unit, equals, specs = header.partition("=")
    if not equals or unit.strip().lower() != "bytes":
        return None
    parts: list[Part] = []
    for spec in specs.split(","):
        match = _SPEC.fullmatch(spec.strip())
        if match is None or match[0] == "-":
            return None
        if match[1] and match[2] and int(match[1]) > int(match[2]):
            return None
        part = _satisfiable(match[1], match[2], size)
        if part is not None:
            parts.append(part)
    parts = _merged(parts)
    return parts if len(parts) <= MOST_PARTS else None


def _satisfiable(first: str, last: str, size: int) -> Part | None:
    if first:
        start, stop = int(first), min(int(last) + 1, size) if last else size
    else:
        start, stop = max(size - int(last), 0), size
    return Part(start, stop) if start < stop else None


def _merged(parts: list[Part]) -> list[Part]:
    in_order = sorted(parts, key=lambda part: part.start)
    if all(a.stop < b.start for a, b in itertools.pairwise(in_order)):
        return parts
    merged = in_order[:1]
    for part in in_order[1:]:
        last = merged[-1]
        if part.start <= last.stop:
            merged[-1] = Part(last.start, max(last.stop, part.stop))
        else:
            merged.append(part)
    return merged
