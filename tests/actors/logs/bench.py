"""A log's stream, and the programs that write to it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

from bundlevisor.actors.files.rotating_file import LogFile
from bundlevisor.actors.files.tail import tail
from bundlevisor.actors.logs import pipes
from bundlevisor.actors.logs.match import PatternMatcher
from bundlevisor.actors.logs.pipe_copy import Plain
from bundlevisor.actors.logs.redact import Redactor
from bundlevisor.actors.logs.stream import LogStream
from bundlevisor.actors.loop.reactor import Loop
from tests.waiting import wait_until

PATIENCE = 60.0
NUMBERED = """
import os, sys
begin, end = int(sys.argv[1]), int(sys.argv[2])
for first in range(begin, end, 400):  # less than PIPE_BUF: each write is whole in the pipe
    os.write(1, b"".join(b"%09d\\n" % n for n in range(first, min(end, first + 400))))
"""
ENDLESS = """
import os
block = (b"y" * 99 + b"\\n") * 600
while True:
    os.write(1, block)
"""
SURVIVOR = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("leaving", child.pid, flush=True)
"""


def end_tree(child: subprocess.Popen[bytes]) -> None:
    if sys.platform != "win32":
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
    child.kill()
    child.wait()


class Ends(Plain):
    """Notes whose pipes are read no more."""

    def __init__(self) -> None:
        self.ended: list[str] = []

    def forget(self, instance: str) -> None:
        self.ended.append(instance)


class Bench:
    """A stream, and the programs that write to it."""

    def __init__(self, loop: Loop, path: Path, file: LogFile, service: str = "api") -> None:
        self.path = path
        self.reports: list[str] = []
        ends = Ends()
        self.ended = ends.ended
        self.stream = LogStream(service, file, loop, self.reports.append, ends)
        self.children: list[subprocess.Popen[bytes]] = []

    def start(self, program: str, *args: object, instance: str = "one") -> subprocess.Popen[bytes]:
        read, write = pipes.make()
        self.stream.attach(read, instance)
        child = subprocess.Popen(
            [sys.executable, "-c", program, *map(str, args)],
            stdout=write,
            stderr=write,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(write)
        self.children.append(child)
        return child

    def write(self, data: bytes, instance: str = "one", redactor: Redactor | None = None) -> int:
        """Attach a pipe that the test writes to itself; returns the write end."""
        read, write = pipes.make()
        self.stream.attach(read, instance, redactor)
        os.write(write, data)
        return write

    def matcher(self, pattern: str) -> PatternMatcher:
        return PatternMatcher(pattern, self.reports.append)

    def drain(self, instance: str = "one") -> bytes:
        drained: list[bytes] = []
        self.stream.drain(instance, drained.append)
        wait_until(lambda: drained, PATIENCE, "the drain")
        return drained[0]

    def detach(self, instance: str = "one") -> None:
        done = threading.Event()
        self.stream.detach(instance, done.set)
        assert done.wait(PATIENCE)

    def until_end(self, instance: str = "one") -> None:
        wait_until(lambda: instance in self.ended, PATIENCE, f"the end of {instance}")

    def stop(self) -> None:
        for child in self.children:
            end_tree(child)
        close(self.stream)


def close(stream: LogStream) -> None:
    """Close it; AssertionError when that takes too long."""
    done = threading.Event()
    stream.close(done.set)
    assert done.wait(PATIENCE)


def everything(path: Path) -> bytes:
    return tail(str(path), 1 << 30, 1 << 30)
