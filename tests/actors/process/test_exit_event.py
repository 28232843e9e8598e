"""Noticing that a process has ended, also where it cannot be watched."""

from __future__ import annotations

import errno
import os
import queue
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest

from bundlevisor.actors.loop import thread_start
from bundlevisor.actors.loop.reactor import Callback, Loop
from tests.waiting import WITHIN

if sys.platform == "win32":
    pytest.skip("Windows waits for handles", allow_module_level=True)

from bundlevisor.actors.loop.thread_start import start_thread
from bundlevisor.actors.process import children, exit_event_posix
from bundlevisor.actors.process.exit_event_posix import watch_exit


class FullLoop(Loop):
    """Has no room for one watch more, as with /proc/sys/fs/epoll/max_user_watches."""

    def watch(self, fd: int, read: Callback | None, write: Callback | None = None) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def no_descriptor(pid: int) -> NoReturn:
    """As pidfd_open(2) where a sandbox forbids it, or before Linux 5.3."""
    raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))


@pytest.fixture(params=["watched", "no room for a watch", "no descriptor"])
def loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loop]:
    faults: list[tuple[str, BaseException]] = []
    kind = FullLoop if request.param == "no room for a watch" else Loop
    if request.param == "no descriptor":
        monkeypatch.setattr(exit_event_posix, "_watchable", no_descriptor)
    turning = kind("test", lambda what, error: faults.append((what, error)))
    turning.start()
    yield turning
    turning.stop()
    assert not faults


def test_the_end_of_a_child_is_noticed_once(loop: Loop) -> None:
    told: queue.Queue[str] = queue.Queue()
    child = subprocess.Popen(["/bin/sh", "-c", "read x"], stdin=subprocess.PIPE)
    assert child.stdin
    watch_exit(loop, child.pid, lambda: told.put("ended"))
    child.stdin.close()
    assert told.get(timeout=WITHIN) == "ended"
    assert child.wait(WITHIN) == 1
    assert told.empty()


def test_an_end_that_is_told_before_it_can_be_waited_for_has_its_status(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on macOS, whose NOTE_EXIT comes before the zombie (proc_exit of xnu's kern_exit.c)."""
    waitpid, too_early = os.waitpid, iter(range(3))

    def of_macos(pid: int, options: int) -> tuple[int, int]:
        return waitpid(pid, options) if next(too_early, None) is None else (0, 0)

    monkeypatch.setattr(os, "waitpid", of_macos)
    told: queue.Queue[int | None] = queue.Queue()
    with open(os.devnull, "wb") as nothing:
        words = ("/bin/sh", "-c", "exit 3")
        child = children.spawn(
            children.SpawnRequest(argv=words, env={}, cwd="/", output=nothing.fileno(), instance="")
        )
    child.watch_exit(loop, lambda: told.put(child.poll()))
    assert told.get(timeout=WITHIN) == 3
    assert told.empty()
    child.close()


def test_the_end_of_a_child_is_noticed_though_nothing_could_be_had_to_wait_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = FullLoop("test", lambda *_: None)
    refusals = iter(range(2))
    loop.start()

    def refuse(run: Callable[[], object]) -> None:
        if next(refusals, None) is not None:
            raise RuntimeError("can't start new thread")
        start_thread(run)

    monkeypatch.setattr(thread_start, "start_thread", refuse)
    told: queue.Queue[str] = queue.Queue()
    child = subprocess.Popen(["/bin/sh", "-c", "exit 1"])
    watch_exit(loop, child.pid, lambda: told.put("ended"))
    assert told.get(timeout=WITHIN) == "ended"
    assert child.wait(WITHIN) == 1
    loop.stop()


WATCHES_ITS_PARENT = """
import os, threading
from bundlevisor.actors.loop.reactor import Loop
from bundlevisor.actors.process import children, exit_event_posix

def no_descriptor(pid):
    raise OSError("no descriptor")

exit_event_posix._watchable = no_descriptor
loop, gone = Loop("test", print), threading.Event()
loop.start()
exit_event_posix.watch_process(loop, os.getppid(), gone.set)
print("watching", flush=True)
print(gone.wait(60), flush=True)
"""
IS_A_PARENT = """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", sys.argv[1]])
sys.stdin.read()
"""


def test_the_end_of_the_parent_is_noticed_without_a_descriptor_for_it() -> None:
    words = [sys.executable, "-c", IS_A_PARENT, WATCHES_ITS_PARENT]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        assert parent.stdout.readline() == b"watching\n"
        parent.kill()
        assert parent.stdout.readline() == b"True\n"
