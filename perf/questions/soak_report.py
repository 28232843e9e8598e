"""What a soak found: a table for people, and a page with the picture."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Protocol

from bundlevisor.perf import noise
from bundlevisor.perf.page import document, write
from bundlevisor.perf.questions.soak_watch import Growth, Lines, Sample, WrongStates, growth
from bundlevisor.perf.report import number, table

HEAD = ["fault", "times", "ready again", "median s", "p99 s", "longest s"]
WIDTH, HEIGHT, LEFT = 800, 160, 48
"""Of a picture, in pixels; ``LEFT`` is left for the scale."""


class Injected(Protocol):
    """A fault, as far as it is reported."""

    fault: str
    service: str
    at: float
    restarts: bool
    recovered_s: float | None


class Soak(Protocol):
    """What is reported."""

    looks: dict[str, list[Sample]]
    lines: Lines
    states: WrongStates
    left: list[str]
    lost: list[str]

    @property
    def injected(self) -> Sequence[Injected]:
        """Every fault that was done."""

    @property
    def lasting(self) -> Sequence[Injected]:
        """Those from which a service did not recover."""

    @property
    def faults(self) -> list[str]:
        """Everything that must not be."""


def render(soak: Soak) -> str:
    """Return the tables: recoveries by fault, what was wrong, growth."""
    grown = [[one.what, number(one.first), number(one.last)] for one in growths(soak)]
    return "\n".join(
        [
            table(HEAD, recoveries(soak)),
            "",
            table(["", ""], wrong(soak)),
            "",
            table(["growth", "first quarter", "last quarter"], grown)
            if grown
            else "too short for growth",
        ]
    )


def recoveries(soak: Soak) -> list[list[str]]:
    """Return a row for each fault, and one for all."""
    names = sorted({one.fault for one in soak.injected})
    rows = [_row(name, [one for one in soak.injected if one.fault == name]) for name in names]
    return [*rows, _row("all", list(soak.injected))]


def _row(name: str, seen: list[Injected]) -> list[str]:
    took = [one.recovered_s for one in seen if one.recovered_s is not None]
    wanted = sum(one.restarts for one in seen)
    if not took:
        return [name, str(len(seen)), f"0 of {wanted}" if wanted else "–", "", "", ""]
    one = noise.summarise(took)
    times = [number(one.median), number(one.p99), number(max(took))]
    return [name, str(len(seen)), f"{len(took)} of {wanted}", *times]


def wrong(soak: Soak) -> list[list[str]]:
    """Return the counts of what must not be."""
    return [
        ["services that did not come back", str(len(soak.lasting))],
        ["wrong states seen", str(len(soak.states.seen))],
        [f"lines lost, of {soak.lines.count}", str(len(soak.lost))],
        ["left at the end", str(len(soak.left))],
    ]


def growths(soak: Soak) -> list[Growth]:
    """Return how the runtime and its guardian have grown."""
    return [one for who, looks in soak.looks.items() for one in growth(who, looks)]


def keep(soak: Soak, head: Sequence[str], path: str) -> None:
    """Write the page; ``-`` is standard output."""
    write(page(soak, head), path)


def page(soak: Soak, head: Sequence[str]) -> str:
    """Return the page: what was found, the recoveries over time, and memory over time."""
    runtime, guardian = soak.looks["runtime"], soak.looks["guardian"]
    dots = [(one.at, one.recovered_s) for one in soak.injected if one.recovered_s is not None]
    return document(
        head[0],
        f"<ul>{''.join(f'<li>{escape(one)}</li>' for one in head[1:])}</ul>",
        _table(["", ""], wrong(soak)),
        "<h2>Time to recover <small>s, over the soak</small></h2>",
        _picture(dots, joined=False),
        "<h2>Memory of the runtime <small>MiB</small></h2>",
        _picture([(one.at, one.memory_mib) for one in runtime]),
        "<h2>Memory of the guardian <small>MiB</small></h2>",
        _picture([(one.at, one.memory_mib) for one in guardian]),
        "<h2>Descriptors of the runtime</h2>",
        _picture([(one.at, float(one.descriptors)) for one in runtime]),
        "<h2>By fault</h2>",
        _table(
            ["fault", "times", "ready again", "median s", "p99 s", "longest s"], recoveries(soak)
        ),
        *(f"<p><strong>{escape(fault)}</strong></p>" for fault in soak.faults),
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["<tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in head) + "</tr>"]
    lines += [
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    ]
    return f"<table>{''.join(lines)}</table>"


def _picture(points: Sequence[tuple[float, float]], *, joined: bool = True) -> str:
    if not points:
        return "<p>nothing to show</p>"
    longest = max(at for at, _ in points) or 1.0
    most = max(value for _, value in points) or 1.0
    places = [
        (LEFT + (WIDTH - LEFT - 8) * at / longest, HEIGHT - 20 - (HEIGHT - 30) * value / most)
        for at, value in points
    ]
    if joined:
        drawn = '<polyline points="' + " ".join(f"{x:.1f},{y:.1f}" for x, y in places) + '"/>'
    else:
        drawn = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>' for x, y in places)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{drawn}'
        f'<text x="{LEFT - 6}" y="14" class="end">{number(most)}</text>'
        f'<text x="{LEFT - 6}" y="{HEIGHT - 18}" class="end">0</text>'
        f'<text x="{WIDTH - 8}" y="{HEIGHT - 4}" class="end">{number(longest)} s</text></svg>'
    )
