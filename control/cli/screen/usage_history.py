"""What services have used lately, for columns and sparklines. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

KEPT = 24
"""So many looks are remembered, and letters of a sparkline."""
LETTERS = "▁▂▃▄▅▆▇█"
ASCII = "_.-=*#"


class History:
    """The last looks at the processor time of each service."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[float]] = {}

    def add(self, services: Iterable[dict[str, Any]]) -> None:
        """Remember one look: the services of ``/status``."""
        for service in services:
            seen = self._seen.setdefault(service["id"], deque(maxlen=KEPT))
            seen.append(float(service.get("cpu_percent") or 0.0))

    def of(self, service: str) -> tuple[float, ...]:
        """Return the looks at a service in per cent of a core, the oldest first."""
        return tuple(self._seen.get(service, ()))


def sparkline(values: Sequence[float], letters: str = LETTERS) -> str:
    """Return a letter for each value; the highest is a whole core, or the largest beyond that."""
    most = max([100.0, *values])
    last = len(letters) - 1
    return "".join(letters[min(last, round(max(0.0, value) / most * last))] for value in values)


def mebibytes(count: int) -> str:
    """Return a memory size as people compare them: ``13 MiB``, ``1.4 GiB``."""
    mib = count / 2**20
    return f"{mib:.0f} MiB" if mib < 1000 else f"{mib / 1024:.1f} GiB"
