"""What is read of one process, and the tree that it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Container, Mapping


class Sample(msgspec.Struct, frozen=True):
    """CPU seconds and memory of one process; ``created`` tells a reused pid apart."""

    created: float
    """Seconds, on the clock of the platform's ``now``."""
    cpu_seconds: float
    rss_bytes: int


def leader_of(pid: int, parents: Mapping[int, int], leaders: Container[int]) -> int | None:
    """Return the nearest of the leaders above a process, itself included; None without one."""
    seen: set[int] = set()
    while pid not in leaders:
        if pid in seen or pid not in parents:
            return None
        seen.add(pid)
        pid = parents[pid]
    return pid
