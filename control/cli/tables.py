"""Text for a terminal: aligned columns, calm words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

GAP = "  "


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    width: int | None = None,
    right: Sequence[str] = (),
) -> str:
    """Return aligned columns; ``right`` names those that are numbers.

    ``width``: the last column is cut so that no line is longer.
    """
    cells = [list(heads), *([plain(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    lines = []
    for row in cells:
        aligned = [
            cell.rjust(size) if head in right else cell.ljust(size)
            for cell, size, head in zip(row, widths, heads, strict=True)
        ]
        lines.append(cut(GAP.join(aligned).rstrip(), width))
    return "\n".join(lines)


def cut(line: str, width: int | None) -> str:
    """Return a line that is no longer than ``width``."""
    return line if width is None or len(line) <= width else line[: max(width - 3, 0)] + "..."


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
