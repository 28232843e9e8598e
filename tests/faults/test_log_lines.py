"""A million numbered lines, and the runtime is killed while they are written."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.bundle_maker import Bundle, Run, bundle, running, wait_until
from tests.faults.scene import guardian_of, in_reserve, rounds
from tests.faults.tally import Tally

LINES = 1_000_000
WIDTH = 24
SOURCE = f"""
import os, signal, sys, time
over = sys.argv[sys.argv.index("--over") + 1]
stop = []
signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
for first in range(0, {LINES}, 250):
    batch = b"".join(b"%0{WIDTH - 1}d\\n" % line for line in range(first, first + 250))
    while batch:
        batch = batch[os.write(1, batch):]
while not (stop and os.path.exists(over)):
    time.sleep(0.01)
os.write(1, b"told to stop\\n")
"""
SECRET = "000777"
"""Stands in many of the lines: these are written in another form than they were read in."""


def log_of(run: Run) -> bytes:
    """Return the log with its rotated parts, oldest first."""
    path = run.app_data / "logs" / "writer.log"
    parts = [path.with_name(f"{path.name}{end}") for end in (".2", ".1", "")]
    return b"".join(part.read_bytes() for part in parts if part.exists())


def size_of_log(run: Run) -> int:
    """Return the size of all parts; 0 when one was just being rotated away."""
    folder = run.app_data / "logs"
    try:
        return sum(path.stat().st_size for path in folder.glob("writer.log*"))
    except FileNotFoundError:
        return 0


def line(number: int, *, secret: bool) -> bytes:
    text = b"%0*d" % (WIDTH - 1, number)
    return text.replace(SECRET.encode(), b"[secret:key]") if secret else text


@pytest.mark.timeout(60 + 20 * rounds(20))
@pytest.mark.parametrize("guardian", [False, True], ids=["runtime", "guardian-too"])
@pytest.mark.parametrize("secret", [False, True], ids=["plain", "redacted"])
def test_of_a_million_lines_none_is_lost_or_doubled(
    tmp_path: Path, tally: Tally, dice: random.Random, secret: bool, guardian: bool
) -> None:
    """The guardian is killed while it goes on with the log; then there is the one in reserve."""
    expected = [line(n, secret=secret) for n in range(LINES)] + [b"told to stop"]
    for number in range(max(1, rounds(20) // 20)):
        most = LINES * WIDTH * 98 // 100
        moment = dice.randrange(1, most // 2 if guardian else most)
        moments = [moment, *([dice.randrange(moment, most)] if guardian else [])]
        folder = tmp_path / str(number)
        logged, seconds = log_of_a_killed_run(folder, moments, secret=secret)
        missing = len(set(expected) - set(logged))
        doubled = len(logged) - len(set(logged))
        kind = "redacted lines" if secret else "lines"
        killed = "runtime, then guardian" if guardian else "runtime"
        fault = f"{killed} SIGKILL in a million {kind}"
        tally.note(fault, lost=missing + doubled, seconds=seconds)
        assert logged == expected, f"{missing} lost, {doubled} doubled, killed at {moments}"
        shutil.rmtree(folder)  # 25 MB each


def log_of_a_killed_run(
    folder: Path, moments: list[int], *, secret: bool
) -> tuple[list[bytes], float]:
    """Kill the runtime when so many bytes are in the log, at a second moment the guardian.

    Returns the lines at the end, and the seconds until then.
    """
    over = folder / "over"
    made = writing(folder, over, secret=secret)
    with running(made) as run:
        if secret:
            run.post("/secrets", {"secrets": {"key": SECRET}})
        guardian = guardian_of(run)
        in_reserve(guardian)
        for moment, pid in zip(moments, (run.pid, guardian.pid), strict=False):
            wait_until(lambda: size_of_log(run) >= moment, 60, "the moment")  # noqa: B023
            os.kill(pid, signal.SIGKILL)
        over.touch()  # until then there is something to do for whoever is killed
        began = time.monotonic()
        wait_until(lambda: not run.leftovers(), 60, "no process left")
        return log_of(run).splitlines(), time.monotonic() - began


def writing(folder: Path, over: Path, *, secret: bool) -> Bundle:
    made = bundle(folder).script("bin/writer", SOURCE)
    if secret:
        target = {"type": "env", "name": "KEY"}
        made.set(secrets=[{"id": "key", "class": "user_prompt", "target": target}])
    more: dict[str, Any] = {"options": {"over": over}, "secrets": ["key"] if secret else None}
    made.service("writer", "bin/writer", ports=(), stop={"timeout_ms": 60_000}, **more)
    return made.write()
