"""Which processes belong to a service, on POSIX: its session, and what escaped from it.

A process that left the session (setsid, double fork) is found by the mark in its environment. On
Linux the runtime is the subreaper of everything it spawned (prctl(2), PR_SET_CHILD_SUBREAPER), so
an escaped process whose parent has ended is a child of the runtime: as long as the group is empty
and the runtime has no children that it does not know, nothing is left, and no scan is needed.
"""

from __future__ import annotations

import os
import signal
import sys

import msgspec

_own: set[int] = set()
"""Pids of the children that somebody here waits for; whatever else is a child was adopted."""


class Member(msgspec.Struct, frozen=True):
    """A living process; ``created`` tells it from a later one with the same pid."""

    pid: int
    created: float
    group: int


def own(pid: int) -> None:
    """Say that somebody waits for this child of the runtime."""
    _own.add(pid)


def disown(pid: int) -> None:
    """Say that this child has been reaped."""
    _own.discard(pid)


if sys.platform == "linux":
    from actors.process import table_linux as table
else:
    from actors.process import table_other as table
