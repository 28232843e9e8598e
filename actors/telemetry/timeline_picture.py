"""The timeline as an SVG waterfall: a row for each service, the critical path in colour."""

from __future__ import annotations

from bundlevisor.actors.telemetry.timeline import Span, Timeline

ROW, LEFT, WIDTH, TOP = 24, 180, 900, 88
"""Pixels: height of a row, width of the names, width of the time axis, height of the heading."""
LETTER, SMALL = 7.6, 6.4
"""Pixels that a letter of a name and of a small label may take; system fonts are narrower."""
LINES = 8
"""About how many lines the grid has."""
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1d2733}.small{font-size:11px;fill:#5b6875}"
    ".grid{stroke:#e4e9ee}.wait{fill:#eef1f4}.boot{fill:#9fb3c8}.late{fill:#c9d6e2}"
    ".prep{fill:#b197fc}.critical .boot,.key{fill:#e8590c}.critical .late{fill:#ffc078}"
    ".mark{stroke:#1971c2}"
    "@media(prefers-color-scheme:dark){svg{background:#161b22}text{fill:#e6edf3}"
    ".small{fill:#9aa7b4}.grid{stroke:#2b333c}.wait{fill:#222a33}}"
)
LEGEND = (
    ("wait", "waits for what it needs"),
    ("prep", "secrets, assets, migrations"),
    ("boot", "spawned, does not listen yet"),
    ("late", "listens, not found ready yet"),
    ("key", "on the critical path"),
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
    scale = WIDTH / last
    labels = _levels(timeline.runtime, scale)
    height = TOP + ROW * len(spans) + 36 + 12 * (1 + max(labels.values(), default=0))
    rows = [_row(span, number, scale) for number, span in enumerate(spans)]
    size = f'width="{LEFT + WIDTH + 90}" height="{height}"'
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            f"<title>{escape(timeline.summary)}</title><style>{STYLE}</style>",
            f'<text x="12" y="24" font-weight="600">{escape(timeline.summary)}</text>',
            _legend(),
            _grid(last, scale, TOP + ROW * len(spans) + 8),
            _runtime(timeline.runtime, labels, scale, TOP + ROW * len(spans) + 8),
            *rows,
            "</svg>\n",
        ]
    )


def _legend() -> str:
    parts, x = [], 12.0
    for kind, meaning in LEGEND:
        parts.append(
            f'<rect class="{kind}" x="{x:.0f}" y="36" width="14" height="12" rx="2"/>'
            f'<text class="small" x="{x + 20:.0f}" y="46">{meaning}</text>'
        )
        x += 40 + SMALL * len(meaning)
    return "".join(parts)


def _grid(last: float, scale: float, bottom: int) -> str:
    step = _step(last / LINES)
    parts = []
    for number in range(int(last / step) + 1):
        x = LEFT + number * step * scale
        parts.append(
            f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" y2="{bottom}"/>'
            f'<text class="small" x="{x:.1f}" y="{TOP - 14}" text-anchor="middle">'
            f"{number * step:g} ms</text>"
        )
    return "".join(parts)


def _levels(marks: dict[str, float], scale: float) -> dict[str, int]:
    """Return on which line below the axis each label stands, so that none covers another."""
    ends: list[float] = []
    found: dict[str, int] = {}
    for what, at in sorted(marks.items(), key=lambda item: item[1]):
        half = SMALL * len(what) / 2 + 3
        begin = at * scale - half
        level = next((n for n, end in enumerate(ends) if end <= begin), len(ends))
        ends[level : level + 1] = [at * scale + half]
        found[what] = level
    return found


def _runtime(marks: dict[str, float], levels: dict[str, int], scale: float, top: int) -> str:
    parts = []
    for what, at in marks.items():
        x, y = LEFT + at * scale, top + 18 + 12 * levels[what]
        parts.append(
            f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{y - 9}">'
            f"<title>{escape(what)}: {at:.1f} ms</title></line>"
            f'<text class="small" x="{x:.1f}" y="{y}" text-anchor="middle">{escape(what)}</text>'
        )
    return "".join(parts)


def _name(id_: str) -> str:
    """Return a service's name, shortened to the room there is for it."""
    most = int((LEFT - 16) / LETTER)
    return id_ if len(id_) <= most else f"{id_[: most - 1]}…"


def _row(span: Span, number: int, scale: float) -> str:
    y = TOP + number * ROW
    kind = ' class="critical"' if span.critical else ""
    begun = span.preparation[0].begin_ms if span.preparation else span.spawned_ms
    bars = [_bar("wait", span.waiting_ms, begun, y, scale)]
    bars += [
        _bar("prep", step.begin_ms, step.end_ms, y, scale, step.what) for step in span.preparation
    ]
    listening = span.listening_ms if span.listening_ms is not None else span.ready_ms
    bars.append(_bar("boot", span.spawned_ms, listening, y, scale))
    bars.append(_bar("late", listening, span.ready_ms, y, scale))
    told = "not ready" if span.ready_ms is None else f"{span.ready_ms:.0f} ms"
    end = LEFT + max(_times(span), default=0.0) * scale + 6
    return (
        f"<g{kind}><title>{escape(span.id)}</title>"
        f"<text x='{LEFT - 10}' y='{y + 14}' text-anchor='end'>{escape(_name(span.id))}</text>"
        f"{''.join(bars)}<text class='small' x='{end:.1f}' y='{y + 14}'>{told}</text></g>"
    )


def _bar(
    kind: str, start: float | None, end: float | None, y: int, scale: float, what: str = ""
) -> str:
    if start is None or end is None or end < start:
        return ""
    x, width = LEFT + start * scale, max((end - start) * scale, 1)
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y + 2}" width="{width:.1f}" height="{ROW - 8}"'
        f' rx="2"><title>{what} {start:.1f} to {end:.1f} ms</title></rect>'
    )


def _times(span: Span) -> list[float]:
    found = (span.spawned_ms, span.output_ms, span.listening_ms, span.ready_ms)
    return [at for at in found if at is not None] + [step.end_ms for step in span.preparation]


def _step(rough: float) -> float:
    """Return a round number of milliseconds near ``rough``: 1, 2 or 5 times a power of ten."""
    power = 1.0
    while power * 10 <= rough:
        power *= 10
    return next((power * factor for factor in (1, 2, 5, 10) if power * factor >= rough), power)
