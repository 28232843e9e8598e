"""A process tree that is logged and guarded: what is told of it, and that nothing is left of it."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest

from bundlevisor.actors.files.rotating_file import LogFile
from bundlevisor.actors.guardian.guarded import GuardedProcess
from bundlevisor.actors.launch.tracked_process import TrackedProcess
from bundlevisor.actors.logs.stream import LogStream
from bundlevisor.actors.loop.reactor import Loop
from bundlevisor.actors.process import children
from tests.actors.logs.bench import close
from tests.waiting import wait_until

PATIENCE = 30.0
LEAVES_A_CHILD = """
import os, sys, time
if os.fork() == 0:
    time.sleep(600)
print("gone", flush=True)
"""


class Told:
    """A guardian that keeps what it is told."""

    def __init__(self) -> None:
        self.pipe = (0, 0)
        self.said: list[tuple[object, ...]] = []

    def expect(self, guarded: GuardedProcess, read_fd: int = -1) -> None:
        self.pipe = identity(read_fd)
        self.said.append(("expect", guarded.instance))

    def spawned(self, instance: str, pid: int, created: float, session: int) -> None:
        self.said.append(("spawned", instance, pid))

    def forget(self, instance: str) -> None:
        self.said.append(("forget", instance))

    def own(
        self, path: str, containing: bytes = b"", *, last: bool = False, named: bool = False
    ) -> None:
        raise AssertionError

    def disown(self, path: str) -> None:
        raise AssertionError


@pytest.fixture
def guardian() -> Told:
    return Told()


@pytest.fixture
def process(tmp_path: Path, guardian: Told) -> Iterator[TrackedProcess]:
    loop = Loop("test", lambda where, error: None)
    loop.start()
    log = LogStream("api", LogFile(str(tmp_path / "api.log")), loop, lambda _: None)
    tracked = TrackedProcess("api-1", loop, log, guardian)
    yield tracked
    tracked.kill()
    wait_until(tracked.is_over, PATIENCE, "the end of what the test has started")
    close(log)
    loop.stop()


def guarded() -> GuardedProcess:
    return GuardedProcess(
        service="api", instance="api-1", signal=15, grace_s=1.0, depends_on=(), log_path=""
    )


def identity(descriptor: int) -> tuple[int, int]:
    found = os.fstat(descriptor)
    return found.st_dev, found.st_ino


def is_open(pipe: tuple[int, int]) -> bool:
    """Whether a descriptor of ours is this pipe."""
    for number in range(256):
        with suppress(OSError):
            if identity(number) == pipe:
                return True
    return False


def python(code: str) -> Callable[[int], children.Child]:
    return lambda output: children.spawn(
        children.SpawnRequest(
            argv=(sys.executable, "-c", code),
            env=dict(os.environ),
            cwd=os.getcwd(),
            output=output,
            instance="api-1",
        )
    )


def test_an_exit_is_told_with_the_last_lines_and_forgotten_after_them(
    process: TrackedProcess, guardian: Told
) -> None:
    exits: list[tuple[int, str]] = []
    child = process.start(guarded(), None, python("print('last word'); raise SystemExit(3)"))
    process.on_exit(lambda code, lines: exits.append((code, lines)))
    wait_until(lambda: bool(exits), PATIENCE, "the exit")
    assert [(code, lines.splitlines()) for code, lines in exits] == [(3, ["last word"])]
    assert process.is_over()
    read = threading.Event()
    process.close(read.set)
    assert read.wait(PATIENCE)
    assert guardian.said == [
        ("expect", "api-1"),
        ("spawned", "api-1", child.pid),
        ("forget", "api-1"),
    ]
    assert process.child is None


def test_an_exit_for_which_a_disk_is_too_slow_is_told_with_what_has_been_read(
    process: TrackedProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    exits: list[tuple[int, str]] = []
    monkeypatch.setattr(process._log, "drain", lambda *_: None)
    waits = "import time; print('the reason', flush=True); time.sleep(600)"
    process.start(guarded(), None, python(waits))
    process.on_exit(lambda code, lines: exits.append((code, lines)))
    wait_until(lambda: process._log.tail("api-1"), PATIENCE, "its word")
    process.kill()
    wait_until(lambda: bool(exits), PATIENCE, "the exit")
    assert [lines.splitlines() for _, lines in exits] == [["the reason"]]


@pytest.mark.skipif(sys.platform == "win32", reason="there a pipe is known by no number of its own")
def test_what_cannot_be_spawned_leaves_no_descriptor_and_nobody_waits_for_it(
    process: TrackedProcess, guardian: Told
) -> None:
    def refuse(output: int) -> children.Child:
        raise OSError(output, "no such program")

    with pytest.raises(OSError, match="no such program"):
        process.start(guarded(), None, refuse)
    assert guardian.said == [("expect", "api-1"), ("forget", "api-1")]
    assert process.is_over()
    wait_until(lambda: not is_open(guardian.pipe), PATIENCE, "the pipe to be closed")


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_an_end_takes_what_the_leader_left(process: TrackedProcess) -> None:
    child = process.start(guarded(), None, python(LEAVES_A_CHILD))
    wait_until(lambda: process.poll() is not None, PATIENCE, "the end of the leader")
    assert not process.is_over()
    process.end("SIGTERM", PATIENCE, threading.Event().wait)
    assert process.is_over()
    assert child.survivors() == []


@pytest.mark.skipif(sys.platform == "win32", reason="ignores a signal")
def test_what_ignores_the_signal_is_killed_after_its_grace(process: TrackedProcess) -> None:
    deaf = "import signal, time; signal.signal(15, 1); print('deaf', flush=True); time.sleep(600)"
    process.start(guarded(), None, python(deaf))
    wait_until(lambda: process._log.tail("api-1") == b"deaf\n", PATIENCE, "its word")
    process.end("SIGTERM", 0.05, threading.Event().wait)
    assert process.poll() == -9


class Unkillable:
    """The leader has ended, and something of root's is left until it ends by itself."""

    instance = "api-1"
    kills = 0
    left = True

    def poll(self) -> int:
        return 0

    def survivors(self) -> list[int]:
        return [1] if self.left else []

    def ask_to_stop(self, signal_name: str) -> bool:
        return bool(signal_name)

    def kill(self) -> None:
        self.kills += 1


def test_what_will_not_end_is_looked_at_less_and_less_often(
    process: TrackedProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    child, now, pauses = Unkillable(), [100.0], list[float]()

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        now[0] += seconds
        child.left = now[0] < 110

    process.adopt(cast("Any", child))
    with monkeypatch.context() as clock:
        clock.setattr("bundlevisor.actors.launch.tracked_process.time.monotonic", lambda: now[0])
        process.end("SIGTERM", 2.0, pause)
    assert child.kills > 1
    assert (pauses[0], pauses[-1]) == (0.005, 0.1)
    assert pauses == sorted(pauses)
