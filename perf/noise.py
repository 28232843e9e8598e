"""Medians, their uncertainty, and when a difference may be called one.

Timings on a shared machine have long tails and drift: so medians and the median absolute
deviation, not means; distribution-free intervals (order statistics, the binomial argument found in
any text on the sign test), not standard errors; and no verdict where intervals overlap.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist, median
from typing import Literal

import msgspec

Verdict = Literal["faster", "slower", "no difference beyond the noise", "too few runs to say"]

ENOUGH = 6
"""Runs below which even the extremes do not enclose the median with 95 %: 1 - 2 · 0.5⁶ = 97 %."""

EXACT = 200
"""Values above which the normal approximation of the binomial is used: it is off by one at most."""


class Summary(msgspec.Struct, frozen=True):
    """A sample in few numbers, in the sample's unit; low to high encloses the median with 95 %."""

    runs: int
    median: float
    low: float
    high: float
    mad: float
    least: float
    p99: float


def summarise(values: Sequence[float]) -> Summary:
    """Describe a sample; raises ValueError when it is empty."""
    if not values:
        raise ValueError("a sample needs at least one value")
    low, high = interval(values)
    middle = median(values)
    return Summary(
        runs=len(values),
        median=middle,
        low=low,
        high=high,
        mad=median(abs(value - middle) for value in values),
        least=min(values),
        p99=quantile(values, 0.99),
    )


def quantile(values: Sequence[float], fraction: float) -> float:
    """Return the value that ``fraction`` of the sample does not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(fraction * len(ordered)) - 1)]


def interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """Return the order statistics that enclose the true median with at least ``confidence``.

    With fewer than ``ENOUGH`` values no pair does; the extremes are returned.
    """
    ordered = sorted(values)
    count = len(ordered)
    below = _left_out(count, confidence) if count <= EXACT else _left_out_normal(count, confidence)
    return ordered[below], ordered[count - 1 - below]


def _left_out(count: int, confidence: float) -> int:
    """Return how many values may be left out at each end: 2 · P(Binomial(count, ½) ≤ k)."""
    below, outside = 0, 0.5**count
    while below + 1 < count / 2:
        outside += math.comb(count, below + 1) * 0.5**count
        if 2 * outside > 1 - confidence:
            break
        below += 1
    return below


def _left_out_normal(count: int, confidence: float) -> int:
    sigmas = NormalDist().inv_cdf((1 + confidence) / 2)
    return int((count - sigmas * math.sqrt(count)) / 2) - 1


def compare(before: Sequence[float], after: Sequence[float]) -> Verdict:
    """Say whether ``after`` is faster or slower: only when the medians' intervals lie apart."""
    if min(len(before), len(after)) < ENOUGH:
        return "too few runs to say"
    (before_low, before_high), (after_low, after_high) = interval(before), interval(after)
    if after_high < before_low:
        return "faster"
    if after_low > before_high:
        return "slower"
    return "no difference beyond the noise"


def compare_sessions(
    before: Sequence[float], after: Sequence[float], floor_before: float, floor_after: float
) -> Verdict:
    """Compare samples of two sessions: the verdict must hold in time and in units of the floor.

    The floor (F) tells how fast the machine was in each session; a difference that is only the
    machine's disappears in one of the two units.
    """
    absolute = compare(before, after)
    relative = compare(
        [value / floor_before for value in before], [value / floor_after for value in after]
    )
    return absolute if absolute == relative else "no difference beyond the noise"


def fit_line(xs: Sequence[float], ys: Sequence[float]) -> tuple[float, float]:
    """Return slope and intercept of the least-squares line."""
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - mean_x) ** 2 for x in xs)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / spread
    return slope, mean_y - slope * mean_x


def fit_exponent(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Return b of y = a · x^b, fitted on logarithms; values must be positive."""
    return fit_line([math.log(x) for x in xs], [math.log(y) for y in ys])[0]
