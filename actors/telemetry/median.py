"""The median; :mod:`statistics` would bring fractions and random numbers into the runtime."""

from __future__ import annotations

from collections.abc import Iterable


def median(values: Iterable[float]) -> float:
    """Return the middle of the values, of an even number the mean of the two; at least one."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return (ordered[middle] + ordered[~middle]) / 2
