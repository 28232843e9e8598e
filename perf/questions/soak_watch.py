"""What a soak looks at while it goes on: growth, states that cannot be, lines."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import psutil

from bundlevisor.manifest.format.app_data import ROTATED
from bundlevisor.perf.processes import memory_bytes
from bundlevisor.testing import Runtime

SAID = re.compile(r"soak line \d+$", re.MULTILINE)
"""A flood may end within a line, which the next one then goes on with."""
GRACE_S = 10.0
"""So long a state may lag behind the processes before it is wrong."""


class Sample(msgspec.Struct, frozen=True):
    """What one process used at one moment."""

    at: float
    """Seconds since the soak began."""
    memory_mib: float
    descriptors: int
    threads: int


class Growth(msgspec.Struct, frozen=True):
    """The medians of the first and the last quarter of the looks at one process."""

    what: str
    first: float
    last: float


def look(pid: int, at: float) -> Sample | None:
    """Look at a process; None when it has gone."""
    with contextlib.suppress(psutil.Error, OSError):
        process = psutil.Process(pid)
        memory = memory_bytes([pid]) / 2**20
        return Sample(at, memory, _descriptors(process), process.num_threads())
    return None


if sys.platform == "win32":

    def _descriptors(process: psutil.Process) -> int:
        return process.num_handles()

else:

    def _descriptors(process: psutil.Process) -> int:
        """Return 0 where they are hidden from us and Linux is older than 6.2 (proc(5))."""
        try:
            return process.num_fds()
        except psutil.AccessDenied:
            return os.stat(f"/proc/{process.pid}/fd").st_size


def growth(who: str, looks: Sequence[Sample]) -> list[Growth]:
    """Return how memory (MiB), descriptors and threads have grown; nothing from under 8 looks."""
    quarter = len(looks) // 4
    if quarter < 2:
        return []
    first, last = looks[:quarter], looks[-quarter:]
    return [
        Growth(
            f"{who}: {what}",
            median(getattr(one, name) for one in first),
            median(getattr(one, name) for one in last),
        )
        for name, what in (
            ("memory_mib", "memory, MiB"),
            ("descriptors", "descriptors"),
            ("threads", "threads"),
        )
    ]


class WrongStates:
    """States that contradict the processes for longer than they may lag behind."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._since: dict[tuple[str, str], float] = {}

    def look(self, details: dict[str, Any]) -> None:
        """Judge one answer of ``/readyz``."""
        now = time.monotonic()
        wrong = {(id_, said) for id_, one in details.items() if (said := self._said(one))}
        for key in wrong:
            since = self._since.setdefault(key, now)
            if now - since > GRACE_S:
                self.seen.append(f"{key[0]}: {key[1]} for more than {GRACE_S:g} s")
                self._since[key] = float("inf")
        for key in set(self._since) - wrong:
            del self._since[key]

    @staticmethod
    def _said(one: dict[str, Any]) -> str:
        pid = one.get("pid")
        if one["state"] == "failed":
            return f"failed: {one.get('message', '')}"
        if one["state"] != "ready":
            return "" if not one["ready"] else f"ready, in state {one['state']}"
        if not one["ready"]:
            return "not ready, in state ready"
        return "" if pid and psutil.pid_exists(pid) else f"ready without a process (pid {pid})"


class Lines:
    """Numbered lines that services were told to write, and that have to be in their logs."""

    def __init__(self) -> None:
        self._said: dict[str, list[str]] = {}
        self._number = 0

    @property
    def count(self) -> int:
        """How many were written."""
        return sum(map(len, self._said.values()))

    def say(self, runtime: Runtime, id_: str) -> None:
        """Have a service write the next line; one that cannot be asked now writes none."""
        self._number += 1
        line = f"soak line {self._number}"
        with contextlib.suppress(OSError, AssertionError, KeyError, ValueError):
            runtime.service(id_).order("say", line)
            self._said.setdefault(id_, []).append(line)

    def lost(self, runtime: Runtime) -> list[str]:
        """Return the lines that are in no log, once the runtime has ended.

        After hours the first ones have been rotated away: those before the oldest that is there.
        """
        lost = []
        for id_, lines in self._said.items():
            log = runtime.bundle.app_data / "logs" / f"{id_}.log"
            files = [path for part in ROTATED if (path := Path(f"{log}{part}")).exists()]
            written: set[str] = set()
            for file in files:
                written |= set(SAID.findall(file.read_text(encoding="utf-8", errors="replace")))
            there = (number for number, line in enumerate(lines) if line in written)
            first = next(there, len(lines)) if len(files) == len(ROTATED) else 0
            lost += [f"{id_}: {line}" for line in lines[first:] if line not in written]
        return lost
