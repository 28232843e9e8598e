"""What measurements found, as one page: nothing beside it, no script, light and dark.

Each measure has a strip with every value (p99 and what lies above included), the median, and where
that lies with 95 %; several results stand below each other, the oldest first.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from html import escape
from importlib import resources
from statistics import median

import msgspec

from bundlevisor.perf import noise, results
from bundlevisor.perf.report import number, ratio
from bundlevisor.perf.results import Measure, Result

WIDTH, ROW, LEFT = 640, 26, 8
"""Of a strip, in pixels: its width, the height of a row, and what is left free at its sides."""
DOTS = 400
"""So many values of a row are drawn, evenly chosen in their order; the numbers are of all."""

POLICY = (
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
)
LEGEND = (
    "Each dot is a value; the bar is where the median lies with 95 %, the line in it the median. "
    "F is the bare interpreter, measured between the runs of the same session."
)


class Row(msgspec.Struct, frozen=True):
    """The values of one contender in one result."""

    name: str
    values: list[float]
    floor: float
    """F of the session in milliseconds; 0 where it was not measured."""


def keep(found: Sequence[Result], path: str) -> None:
    """Write the page of results, the oldest first; ``-`` is standard output."""
    write(render(found), path)


def write(text: str, path: str) -> None:
    """Write a page to a file; ``-`` is standard output."""
    if path == "-":
        sys.stdout.buffer.write(text.encode())
        return
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def render(found: Sequence[Result]) -> str:
    """Return the page; raises ValueError without a result."""
    if not found:
        raise ValueError("a page needs one result at least")
    newest = found[-1]
    title = " · ".join(filter(None, [newest.question, newest.bundle, newest.label]))
    return document(
        title,
        *map(_session, found),
        *(part for key, one in _measures(found) for part in _measure(found, key, one)),
        f'<p class="legend">{LEGEND}</p>',
    )


def document(title: str, *parts: str) -> str:
    """Return a page of HTML that needs no other file, with the title as its heading."""
    style = resources.files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width">',
            POLICY,
            f"<title>{escape(title)}</title><style>{style}</style></head><body>",
            f"<h1>{escape(title)}</h1>",
            *parts,
            "</body></html>\n",
        ]
    )


def _session(one: Result) -> str:
    lines = results.head(one)
    if one.floor:
        lines.append(f"F = {number(median(one.floor))} ms ({len(one.floor)} runs)")
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<ul>{items}</ul>"


def _measures(found: Sequence[Result]) -> Iterator[tuple[str, Measure]]:
    every: dict[str, Measure] = {}
    for one in reversed(found):
        every = {**one.measures, **every}
    order = [*found[-1].measures, *every]
    yield from ((key, every[key]) for key in dict.fromkeys(order))


def rows_of(found: Sequence[Result], key: str) -> list[Row]:
    """Return who has values of a measure, in the order of the results."""
    several = len(found) > 1
    return [
        Row(
            name=f"{name} · {one.label or one.began or number_of}" if several else name,
            values=samples[key],
            floor=median(one.floor) if one.floor else 0.0,
        )
        for number_of, one in enumerate(found, 1)
        for name, samples in one.contenders.items()
        if samples.get(key)
    ]


def _measure(found: Sequence[Result], key: str, measure: Measure) -> Iterator[str]:
    rows = rows_of(found, key)
    if not rows:
        return
    yield f"<h2>{escape(measure.title)} <small>{escape(measure.unit)}</small></h2>"
    yield _strip(rows, measure)
    head = ["", "median", "95 % of it", "p99", "least", "÷ F", "÷ first", "verdict", "values"]
    yield "<table><tr>" + "".join(f"<th>{text}</th>" for text in head) + "</tr>"
    for row in rows:
        cells = _cells(measure, row, rows[0])
        yield "<tr>" + "".join(f"<td>{escape(text)}</td>" for text in cells) + "</tr>"
    yield "</table>"


def _cells(measure: Measure, row: Row, first: Row) -> list[str]:
    one = noise.summarise(row.values)
    in_f = ratio(one.median, row.floor) if row.floor and measure.unit == "ms" else ""
    against = ["", ""]
    if row is not first:
        against = [ratio(one.median, median(first.values)), _verdict(measure, first, row)]
    return [
        row.name,
        number(one.median),
        results.enclosing(measure, one),
        number(one.p99),
        number(one.least),
        in_f,
        *against,
        str(one.runs),
    ]


def _verdict(measure: Measure, first: Row, row: Row) -> str:
    if row.floor and first.floor and measure.unit == "ms":
        said = noise.compare_sessions(first.values, row.values, first.floor, row.floor)
    else:
        said = noise.compare(first.values, row.values)
    return results.worded(measure, said)


def _strip(rows: list[Row], measure: Measure) -> str:
    most = max(max(row.values) for row in rows) or 1.0
    inner = WIDTH - 2 * LEFT

    def at(value: float) -> str:
        return f"{LEFT + inner * max(0.0, value) / most:.1f}"

    parts = [f'<svg viewBox="0 0 {WIDTH} {ROW * len(rows) + 18}" role="img">']
    for index, row in enumerate(rows):
        one, top = noise.summarise(row.values), ROW * index
        parts.append(f"<g><title>{escape(row.name)}: {number(one.median)}</title>")
        if results.encloses(measure, one):
            wide = max(2.0, inner * (one.high - one.low) / most)
            parts.append(
                f'<rect x="{at(one.low)}" y="{top + 4}" width="{wide:.1f}" height="{ROW - 8}"/>'
            )
        step = max(1, -(-len(row.values) // DOTS))
        for place, value in enumerate(row.values[::step]):
            y = top + ROW / 2 + (place % 5 - 2) * 3
            parts.append(f'<circle cx="{at(value)}" cy="{y:g}" r="2.5"/>')
        x = at(one.median)
        parts.append(f'<line x1="{x}" x2="{x}" y1="{top + 2}" y2="{top + ROW - 2}"/></g>')
    base = ROW * len(rows) + 14
    parts.append(f'<text x="{LEFT}" y="{base}">0</text>')
    parts.append(f'<text x="{WIDTH - LEFT}" y="{base}" class="end">{number(most)}</text></svg>')
    return "".join(parts)
