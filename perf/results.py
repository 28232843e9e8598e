"""What a measurement found: kept as JSON, and compared with what was kept earlier."""

from __future__ import annotations

import datetime
import os
import platform
import sys
from collections.abc import Iterable, Sequence
from statistics import median

import msgspec

from bundlevisor.perf import noise
from bundlevisor.perf.report import number, ratio, table

Samples = dict[str, list[float]]
FORMAT = 1


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """How a measure is called in a report, and in which unit; more may be better or worse.

    ``pooled``: a run gives several values, which share the run's luck; their number says nothing
    about how sure the median is, so that no verdict is given on them.
    """

    title: str
    unit: str = "ms"
    more_is_better: bool = False
    pooled: bool = False


class Result(msgspec.Struct, kw_only=True):
    """All values of one session: per contender and measure, in the order they were taken."""

    question: str
    bundle: str
    measures: dict[str, Measure]
    contenders: dict[str, Samples]
    floor: list[float] = []
    """F of the same session in ms, taken between the runs; empty where it plays no part."""
    notes: list[str] = []
    machine: str = ""
    label: str = ""
    """What this session was for, in the words of who measured."""
    began: str = ""
    """When the session began: UTC, ISO 8601, to the second."""
    load: str = ""
    """How busy the machine was when the session began; empty where the system does not say."""
    versions: dict[str, str] = {}
    """What each contender says of itself, as far as it says anything."""
    kit: int = FORMAT

    def add(self, contender: str, sample: Samples) -> None:
        """Append the values of one run."""
        kept = self.contenders.setdefault(contender, {})
        for measure, values in sample.items():
            kept.setdefault(measure, []).extend(values)


def begin(
    question: str,
    bundle: str,
    measures: dict[str, Measure],
    contenders: Iterable[str] = (),
    notes: Sequence[str] = (),
) -> Result:
    """Return a result without values, of a session that begins now and here."""
    return Result(
        question=question,
        bundle=bundle,
        measures=measures,
        contenders={name: {} for name in contenders},
        notes=list(notes),
        machine=machine(),
        began=now(),
        load=load(),
    )


def machine() -> str:
    """Name what the numbers depend on, as far as it can be told cheaply."""
    return (
        f"{platform.system()} {platform.release()} {platform.machine()}, {os.cpu_count()} cores, "
        f"{platform.python_implementation()} {platform.python_version()} ({sys.executable})"
    )


def now() -> str:
    """Return the time for :attr:`Result.began`."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def load() -> str:
    """Return the load of the last minute for :attr:`Result.load`; empty on Windows."""
    if not hasattr(os, "getloadavg"):
        return ""
    return f"{os.getloadavg()[0]:.1f} of {os.cpu_count()} cores"


def head(result: Result) -> list[str]:
    """Return what a report begins with: what, for what, when, where, and who took part."""
    when = " · ".join(filter(None, [result.began, result.load and f"load {result.load}"]))
    who = [f"{name}: {version}" for name, version in result.versions.items() if version]
    title = " · ".join(filter(None, [result.question, result.bundle, result.label]))
    return [part for part in [title, when, result.machine, *who, *result.notes] if part]


def render(result: Result) -> str:
    """Return the report: medians, where they lie with 95 %, their spread, and ratios."""
    parts = head(result)
    if result.floor:
        floor = noise.summarise(result.floor)
        parts.append(
            f"F = {number(floor.median)} ms (python -I -S -c pass; "
            f"{number(floor.low)}–{number(floor.high)}, {floor.runs} runs)"
        )
    first = next(iter(result.contenders))
    for name, samples in result.contenders.items():
        parts += ["", name, _samples(result, samples, result.contenders[first], name != first)]
    return "\n".join(parts)


def _samples(result: Result, samples: Samples, reference: Samples, compared: bool) -> str:
    floor = median(result.floor) if result.floor else 0.0
    head = ["", "median", "95 % of it", "mad", "p99", "least", "unit"]
    head += ["÷ F"] * bool(floor) + ["÷ first", "verdict"] * compared
    rows = []
    for key, measure in result.measures.items():
        if not samples.get(key):
            continue
        one = noise.summarise(samples[key])
        row = [measure.title, number(one.median), enclosing(measure, one)]
        row += [number(one.mad), number(one.p99), number(one.least), measure.unit]
        if floor:
            row.append(ratio(one.median, floor) if measure.unit == "ms" else "")
        if compared:
            row += _against(measure, reference.get(key, []), samples[key])
        rows.append(row)
    return table(head, rows)


def encloses(measure: Measure, one: noise.Summary) -> bool:
    """Return whether the interval of the median says anything: not for few or dependent values."""
    return not measure.pooled and one.runs >= noise.ENOUGH


def enclosing(measure: Measure, one: noise.Summary) -> str:
    """Return the interval of the median; a dash where too few or dependent values give none."""
    return f"{number(one.low)}–{number(one.high)}" if encloses(measure, one) else "–"


def _against(measure: Measure, before: list[float], after: list[float]) -> list[str]:
    if not before:
        return ["–", ""]
    verdict = noise.compare(before, after)
    return [ratio(median(after), median(before)), worded(measure, verdict)]


def worded(measure: Measure, verdict: noise.Verdict) -> str:
    """Return a verdict in the measure's own terms: which way it goes, and whether that is bad."""
    if measure.pooled:
        return "not judged: several values per run"
    if verdict not in ("faster", "slower"):
        return verdict
    more = verdict == "slower"
    if measure.unit == "ms":
        return verdict
    return ("more" if more else "less") + ("" if more is measure.more_is_better else " (worse)")


def compare_with(baseline: Result, result: Result) -> str:
    """Return a table of what changed against a kept result, beyond the noise of both.

    Contenders are matched by name, a single one on both sides also without.
    """
    scale = (median(baseline.floor), median(result.floor)) if _floors(baseline, result) else None
    lines = ["against:", *(f"  {line}" for line in head(baseline))]
    if scale:
        lines.append(f"the machine: F was {number(scale[0])} ms then, {number(scale[1])} ms now")
    for name, samples in result.contenders.items():
        kept = _matching(baseline, result, name)
        rows = [
            _change(result.measures[key], kept[key], samples[key], scale)
            for key in result.measures
            if samples.get(key) and kept.get(key)
        ]
        changes = table(["", "then", "now", "ratio", "verdict"], rows)
        lines += ["", name, changes if rows else "  no values of it were kept then"]
    return "\n".join(lines)


def _floors(baseline: Result, result: Result) -> bool:
    return bool(baseline.floor and result.floor)


def _matching(baseline: Result, result: Result, name: str) -> Samples:
    if name not in baseline.contenders and len(baseline.contenders) == len(result.contenders) == 1:
        return next(iter(baseline.contenders.values()))
    return baseline.contenders.get(name, {})


def _change(
    measure: Measure, before: list[float], after: list[float], scale: tuple[float, float] | None
) -> list[str]:
    if scale and measure.unit == "ms":
        verdict = noise.compare_sessions(before, after, *scale)
    else:
        verdict = noise.compare(before, after)
    then, now = median(before), median(after)
    return [measure.title, number(then), number(now), ratio(now, then), worded(measure, verdict)]


def keep(result: Result, path: str) -> None:
    """Write a result as JSON; ``-`` is standard output."""
    encoded = msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n"
    if path == "-":
        sys.stdout.buffer.write(encoded)
        return
    with open(path, "wb") as file:
        file.write(encoded)


def kept(path: str) -> Result:
    """Read a kept result; raises OSError, or msgspec.DecodeError when it is none."""
    with open(path, "rb") as file:
        return msgspec.json.decode(file.read(), type=Result)
