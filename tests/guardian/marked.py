"""Processes with a mark in their environment, started by a test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bundlevisor.actors.process import table
from tests.waiting import wait_until

RUN = str(Path(__file__).parent.parent / "programs" / "run.py")


@contextmanager
def marked(
    mark: str, record: Path, program: str = "well_behaved", *options: str, **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in a session of its own until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-IS", RUN, program, "--record", str(record), *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"SERVICE_INSTANCE_ID": mark} | environment,
        start_new_session=True,
    )
    try:
        wait_until(record.exists)
        yield process
    finally:
        for found in table.census(mark, {process.pid}):
            table.send(found.pid, found.created, signal.SIGKILL)
        process.wait()


def birth(pid: int) -> float:
    born = table.created(pid)
    assert born is not None
    return born
