"""Tables for a terminal: plain text, numbers to the right, nothing that a pipe would mind."""

from __future__ import annotations

from collections.abc import Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Align cells in columns: the first to the left, the others to the right."""
    lines = [list(head), *map(list, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    rule = ["-" * width for width in widths]
    return "\n".join(_line(line, widths) for line in [lines[0], rule, *lines[1:]])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    return "  ".join(
        [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
    ).rstrip()


def number(value: float) -> str:
    """Three significant digits, without an exponent: 0.123, 1.23, 12.3, 123, 1234."""
    if value == 0:
        return "0"
    digits = max(0, 2 - _magnitude(abs(value)))
    return f"{value:.{min(digits, 4)}f}"


def _magnitude(value: float) -> int:
    power = 0
    while value >= 9.995:
        value /= 10
        power += 1
    while value < 0.9995 and power > -4:
        value *= 10
        power -= 1
    return power


def ratio(value: float, to: float) -> str:
    """Return ``value / to`` with two decimals and a multiplication sign, a dash without ``to``."""
    return f"{value / to:.2f}×" if to else "–"
