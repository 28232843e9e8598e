"""What was injected, and what became of it: the table at the end of the fault suite."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from tests.bundle_maker import Run, wait_until

HEADINGS = ("fault", "times", "leftovers", "lost lines", "seconds to clean (median, worst)")
PATIENCE = 30.0


class Injection(NamedTuple):
    """One fault: ``lost`` lines are not in the log though they were written, or doubled."""

    leftovers: int
    lost: int | None
    seconds: float | None


class Tally:
    """All faults of a test run, by name, in the order of their first injection."""

    def __init__(self) -> None:
        self._faults: dict[str, list[Injection]] = {}

    def note(
        self,
        fault: str,
        *,
        leftovers: int = 0,
        lost: int | None = None,
        seconds: float | None = None,
    ) -> None:
        """Enter one injection; None is what was not looked at."""
        self._faults.setdefault(fault, []).append(Injection(leftovers, lost, seconds))

    def cleaned(self, fault: str, run: Run) -> None:
        """Wait until no process of the run is left, and enter how long that took."""
        began = time.monotonic()
        try:
            wait_until(lambda: not run.leftovers(), PATIENCE, "no process left")
        finally:
            left, taken = len(run.leftovers()), time.monotonic() - began
            lost = None if left else lost_lines(run)
            self.note(fault, leftovers=left, lost=lost, seconds=taken)
        assert not lost, f"{lost} lines lost"

    def lines(self) -> Iterator[str]:
        """Yield the table."""
        rows = [HEADINGS, *(self._row(fault, seen) for fault, seen in self._faults.items())]
        widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
        for row in rows if self._faults else ():
            first, *others = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            yield "  ".join([first, *others]).rstrip()

    def _row(self, fault: str, seen: list[Injection]) -> tuple[str, ...]:
        lost = [injection.lost for injection in seen if injection.lost is not None]
        seconds = sorted(i.seconds for i in seen if i.seconds is not None)
        return (
            fault,
            str(len(seen)),
            str(sum(injection.leftovers for injection in seen)),
            lost_in(lost, len(seen)),
            f"{seconds[len(seconds) // 2]:.2f}, {seconds[-1]:.2f}" if seconds else "-",
        )


def lost_in(lost: list[int], times: int) -> str:
    """Return the sum as it is shown, and in how many of so many runs there were lines to count."""
    if not lost:
        return "-"
    return f"{sum(lost)}" + f" in {len(lost)}" * (len(lost) < times)


def lost_lines(run: Run) -> int | None:
    """Return how many lines are missing or doubled; None where no service says how many it wrote.

    Services that do write ``line 0``, ``line 1``, …, and record ``wrote`` at their end.
    """
    ids = [service["id"] for service in run.bundle.document["services"]]
    wrote = {id_: found for id_ in ids if (found := run.events(id_, "wrote"))}
    if not wrote:
        return None
    lost = 0
    for id_, events in wrote.items():
        logged = Counter(line for line in run.log(id_).splitlines() if line)
        expected = Counter(f"line {n}" for event in events for n in range(event["lines"]))
        lost += (expected - logged).total() + (logged - expected).total()
    return lost
