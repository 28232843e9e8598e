"""Text for a terminal: aligned columns, calm words, nothing left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bundlevisor.control.cli.screen.cells import cells, padded, wrapped

GAP = "  "
BELOW = "    "
NARROW = 24
"""With less room than this for the last column, its text stands below the line."""


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    width: int | None = None,
    right: Sequence[str] = (),
) -> str:
    """Return aligned columns; ``right`` names those that are numbers.

    ``width``: no line is longer. The last column is wrapped, or stands below its line; where the
    others alone are too wide, each row is a paragraph. Nothing is cut.
    """
    lines = [list(heads), *([plain(cell) for cell in row] for row in rows)]
    widths = [max(cells(row[column]) for row in lines) for column in range(len(heads))]
    rest = sum(widths[:-1]) + len(GAP) * (len(heads) - 1)
    if width is None or rest + widths[-1] <= width:
        room = widths[-1]
    elif rest + NARROW <= width:
        room = width - rest
    elif rest - len(GAP) <= width:
        return _with_last_below(lines, widths, right, width)
    else:
        return "\n\n".join(_paragraph(heads, row, width) for row in lines[1:])
    return "\n".join(
        line
        for row in lines
        for line in _beside(_aligned(row[:-1], widths, heads, right), row[-1], rest, room)
    )


def _aligned(
    row: Sequence[str], widths: Sequence[int], heads: Sequence[str], right: Sequence[str]
) -> str:
    return GAP.join(
        cell.rjust(size) if head in right else padded(cell, size)
        for cell, size, head in zip(row, widths, heads, strict=False)
    )


def _beside(start: str, last: str, rest: int, room: int) -> list[str]:
    first, *more = wrapped(last, room) or [""]
    line = f"{start}{GAP}{first}" if start else first
    return [line.rstrip(), *(" " * rest + part for part in more)]


def _with_last_below(
    lines: Sequence[Sequence[str]], widths: Sequence[int], right: Sequence[str], width: int
) -> str:
    heads, *rows = lines
    shown = [_aligned(heads[:-1], widths, heads, right).rstrip()]
    for row in rows:
        shown.append(_aligned(row[:-1], widths, heads, right).rstrip())
        shown += wrapped(row[-1], width, BELOW, BELOW)
    return "\n".join(shown)


def _paragraph(heads: Sequence[str], row: Sequence[str], width: int) -> str:
    """Return a row as lines of ``head: cell``; what is empty or ``-`` says nothing."""
    told = [
        line
        for head, cell in zip(heads[1:], row[1:], strict=True)
        if cell not in ("", "-")
        for line in wrapped(f"{head.lower()}: {cell}", width, GAP, BELOW)
    ]
    return "\n".join([*wrapped(row[0], width), *told])


def plain(text: str) -> str:
    """Return text without control characters: a service's message must not steer a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def duration(seconds: float) -> str:
    """Return a time as a person says it: ``85 ms``, ``4.2 s``, ``3 min 5 s``, ``2 h 4 min``."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} days"
