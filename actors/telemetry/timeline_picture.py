"""The timeline as an SVG waterfall: a row for each service, the critical path in colour."""

from __future__ import annotations

from bundlevisor.actors.telemetry.timeline import Span, Timeline

ROW, LEFT, WIDTH, TOP = 24, 180, 900, 64
"""Pixels: height of a row, width of the names, width of the time axis, height of the heading."""
LINES = 8
"""About how many lines the grid has."""
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1d2733}.small{font-size:11px;fill:#5b6875}"
    ".grid{stroke:#e4e9ee}.wait{fill:#eef1f4}.boot{fill:#9fb3c8}.late{fill:#c9d6e2}"
    ".critical .boot{fill:#e8590c}.critical .late{fill:#ffc078}.mark{stroke:#1971c2}"
    "@media(prefers-color-scheme:dark){svg{background:#161b22}text{fill:#e6edf3}"
    ".small{fill:#9aa7b4}.grid{stroke:#2b333c}.wait{fill:#222a33}}"
)


ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def escape(text: str) -> str:
    """Return text as it stands between tags; xml.sax, which has this, would cost a megabyte."""
    return text.translate(ENTITIES)


def draw(timeline: Timeline) -> str:
    """Return the picture as an SVG document."""
    spans = sorted(timeline.services, key=lambda span: (span.spawned_ms or 1e12, span.id))
    last = max((at for span in spans for at in _times(span)), default=0.0)
    last = max(last, *timeline.runtime.values(), 1.0)
    height = TOP + ROW * (len(spans) + 1) + 24
    scale = WIDTH / last
    rows = [_row(span, number, scale) for number, span in enumerate(spans)]
    size = f'width="{LEFT + WIDTH + 90}" height="{height}"'
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            f"<title>{escape(timeline.summary)}</title><style>{STYLE}</style>",
            f'<text x="12" y="24" font-weight="600">{escape(timeline.summary)}</text>',
            _grid(last, scale, height),
            _runtime(timeline.runtime, scale, height),
            *rows,
            "</svg>\n",
        ]
    )


def _grid(last: float, scale: float, height: int) -> str:
    step = _step(last / LINES)
    parts = []
    for number in range(int(last / step) + 1):
        x = LEFT + number * step * scale
        parts.append(
            f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" y2="{height - 20}"/>'
            f'<text class="small" x="{x:.1f}" y="{TOP - 14}" text-anchor="middle">'
            f"{number * step:g} ms</text>"
        )
    return "".join(parts)


def _runtime(marks: dict[str, float], scale: float, height: int) -> str:
    parts = []
    for number, (what, at) in enumerate(sorted(marks.items(), key=lambda item: item[1])):
        x = LEFT + at * scale
        y = height - 6 - (number % 2) * 10
        parts.append(
            f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{height - 34}" y2="{height - 24}">'
            f"<title>{escape(what)}: {at:.1f} ms</title></line>"
            f'<text class="small" x="{x:.1f}" y="{y}" text-anchor="middle">{escape(what)}</text>'
        )
    return "".join(parts)


def _row(span: Span, number: int, scale: float) -> str:
    y = TOP + number * ROW
    kind = ' class="critical"' if span.critical else ""
    bars = [_bar("wait", span.waiting_ms, span.spawned_ms, y, scale)]
    listening = span.listening_ms if span.listening_ms is not None else span.ready_ms
    bars.append(_bar("boot", span.spawned_ms, listening, y, scale))
    bars.append(_bar("late", listening, span.ready_ms, y, scale))
    told = "not ready" if span.ready_ms is None else f"{span.ready_ms:.0f} ms"
    end = LEFT + max(_times(span), default=0.0) * scale + 6
    return (
        f"<g{kind}><text x='{LEFT - 10}' y='{y + 14}' text-anchor='end'>{escape(span.id)}</text>"
        f"{''.join(bars)}<text class='small' x='{end:.1f}' y='{y + 14}'>{told}</text></g>"
    )


def _bar(kind: str, start: float | None, end: float | None, y: int, scale: float) -> str:
    if start is None or end is None or end < start:
        return ""
    x, width = LEFT + start * scale, max((end - start) * scale, 1)
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y + 2}" width="{width:.1f}" height="{ROW - 8}"'
        f' rx="2"><title>{start:.1f} to {end:.1f} ms</title></rect>'
    )


def _times(span: Span) -> list[float]:
    found = (span.spawned_ms, span.output_ms, span.listening_ms, span.ready_ms)
    return [at for at in found if at is not None]


def _step(rough: float) -> float:
    """Return a round number of milliseconds near ``rough``: 1, 2 or 5 times a power of ten."""
    power = 1.0
    while power * 10 <= rough:
        power *= 10
    return next((power * factor for factor in (1, 2, 5, 10) if power * factor >= rough), power)
