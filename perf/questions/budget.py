"""The goals beside what is reached, measured briefly: a table to read; ``--strict`` fails on it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from statistics import median

import msgspec

from bundlevisor.perf import noise, options, processes
from bundlevisor.perf.contender import Contender
from bundlevisor.perf.questions import idle, respawn, shutdown, startup
from bundlevisor.perf.report import number, table
from bundlevisor.perf.results import Samples

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "budget.json")
STARTS = ("chain3", "fan20", "layers50")


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sum: ``c`` times C, ``f`` times F, milliseconds, and a plain value in other units."""

    c: float = 0
    f: float = 0
    ms: float = 0
    value: float = 0

    def amount(self, critical_path: float, floor: float) -> float:
        """Return the limit in the target's unit; both arguments are milliseconds."""
        return self.c * critical_path + self.f * floor + self.ms + self.value

    def __str__(self) -> str:
        parts = [("C" if self.c == 1 else f"{self.c:g} C")] * bool(self.c)
        parts += [f"{self.f:g} F"] * bool(self.f) + [f"{self.ms:g} ms"] * bool(self.ms)
        return " + ".join(parts) or f"{self.value:g}"


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of the table; ``shape`` names what is measured, ``measure`` which of its values."""

    what: str
    shape: str
    measure: str
    limit: Limit
    statistic: str = "median"
    unit: str = "ms"


class Budget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``budget.json``."""

    about: str
    targets: list[Target]


class Line(msgspec.Struct, frozen=True):
    """A target with what was measured for it."""

    target: Target
    limit: float
    measured: float
    low: float
    """The lower end of the interval in which the median lies; of other statistics the value."""
    critical: float = 0
    """C in milliseconds, where it was measured."""

    def in_f(self, floor: float) -> str:
        """Return what was measured as its goal is stated: ``2.1 F``, ``C + 8.3 F``."""
        limit = self.target.limit
        if not limit.f:
            return ""
        beyond = self.measured - limit.c * self.critical
        return str(msgspec.structs.replace(limit, f=round(beyond / floor, 1)))

    @property
    def verdict(self) -> str:
        """``met``; ``within the noise`` when the goal lies in the median's interval; ``missed``."""
        if self.measured <= self.limit:
            return "met"
        return "within the noise" if self.low <= self.limit else "missed"


def read(path: str = FILE) -> Budget:
    """Read a budget; raises OSError, or msgspec.DecodeError when it is none."""
    with open(path, "rb") as file:
        return msgspec.json.decode(file.read(), type=Budget)


def judge(budget: Budget, measured: dict[str, Samples], floor: float) -> list[Line]:
    """Set the targets beside the measured samples (by ``shape``); F in milliseconds."""
    lines = []
    for target in budget.targets:
        samples = measured[target.shape]
        values = samples[target.measure]
        low, _ = noise.interval(values)
        critical = median(samples["C"]) if samples.get("C") else 0.0
        limit = target.limit.amount(critical, floor)
        lines.append(
            Line(
                target=target,
                limit=limit,
                measured=_statistic(target.statistic, values),
                low=low if target.statistic == "median" else _statistic(target.statistic, values),
                critical=critical,
            )
        )
    return lines


def _statistic(name: str, values: list[float]) -> float:
    if name == "p99":
        return noise.quantile(values, 0.99)
    return max(values) if name == "most" else median(values)


def measure(contender: Contender, runs: int, window: float) -> tuple[dict[str, Samples], float]:
    """Measure all that the table needs; return samples by shape, and F in milliseconds."""
    measured: dict[str, Samples] = {"startup": {"release": []}}
    floors: list[float] = []
    for shape in STARTS:
        with options.made(shape) as (bundle, notes):
            result = startup.measure([contender], bundle, shape, runs, notes)
        measured[shape] = result.contenders[contender.name]
        measured["startup"]["release"] += measured[shape]["release"]
        floors += result.floor
    with options.made("independent20") as (bundle, _):
        measured["respawn"] = respawn.measure(contender, bundle, settle=1.0)
    with options.made("fan20") as (bundle, _):
        measured["shutdown"] = _together(shutdown.measure(contender, bundle) for _ in range(runs))
    with options.made("independent20", probe_ms=2000) as (bundle, _):
        measured["idle"] = idle.measure(contender, bundle, window, settle=2.0)
    return measured, median(floors)


def _together(samples: Iterable[Samples]) -> Samples:
    whole: Samples = {}
    for sample in samples:
        for key, values in sample.items():
            whole.setdefault(key, []).extend(values)
    return whole


def render(lines: list[Line], floor: float) -> str:
    """Return the table of goals, what is reached, and verdicts."""
    rows = [
        [
            line.target.what,
            f"≤ {line.target.limit}",
            number(line.limit),
            number(line.measured),
            line.target.unit,
            line.in_f(floor),
            line.verdict,
        ]
        for line in lines
    ]
    head = ["", "goal", "here", "reached", "unit", "", "verdict"]
    return f"F = {number(floor)} ms\n\n{table(head, rows)}"


def main(argv: list[str]) -> int:
    """Run ``python -m bundlevisor.perf budget``; exit code 1 where a goal is missed and that is
    asked for."""
    parser = options.parser_of_one("budget", __doc__, runs=7)
    parser.add_argument(
        "--window", type=options.span, default=8.0, help="seconds of idleness watched"
    )
    parser.add_argument("--strict", action="store_true", help="exit 1 when a goal is missed")
    parsed = parser.parse_args(argv)
    contender = options.reference(parsed)
    measured, floor = measure(contender, parsed.runs, parsed.window)
    lines = judge(read(), measured, floor)
    print(f"budget · {contender.name}", *processes.memory_notes(), sep="\n")
    print(render(lines, floor))
    missed = sum(line.verdict == "missed" for line in lines)
    if missed:
        print(f"{missed} of {len(lines)} goals missed", file=sys.stderr)
    return 1 if missed and parsed.strict else 0
