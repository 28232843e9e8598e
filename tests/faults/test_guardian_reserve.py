"""A guardian that dies is followed: by its reserve at once, by a new interpreter after both."""

from __future__ import annotations

import os
import signal
import sys
from functools import partial
from pathlib import Path

import psutil
import pytest

from bundlevisor.testing.processes import lives
from tests.bundle_maker import Run, running, starting, wait_until
from tests.faults.scene import (
    assert_nothing_on_disk,
    assert_stopped_in_order,
    guardian_of,
    in_reserve,
    injured,
    replaced,
    slow_to_stop,
)
from tests.faults.tally import Tally


@pytest.mark.skipif(sys.platform == "win32", reason="the reserve is forked")
@pytest.mark.parametrize("times", [1, 3])
def test_there_is_no_moment_in_which_nothing_guards(
    tmp_path: Path, tally: Tally, times: int
) -> None:
    """Also in the first ten seconds of a guardian: the runtime dies right after it, unwarned."""
    with running(injured(tmp_path)) as run:
        run.until_ready()
        for _ in range(times - 1):
            dead = guardian_of(run)
            in_reserve(dead)
            dead.kill()
            wait_until(partial(replaced, run, dead.pid), what="the next guardian")
        last = guardian_of(run)
        in_reserve(last)
        os.kill(run.pid, signal.SIGSTOP)
        last.kill()
        run.kill()
        tally.cleaned("guardian SIGKILL, runtime SIGKILL in the same moment", run)
        assert_stopped_in_order(run)
        assert_nothing_on_disk(run)
        assert [event["event"] for event in run.telemetry()].count("runtime_died") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="the reserve is forked")
def test_guardian_and_reserve_are_followed_by_a_new_interpreter(
    tmp_path: Path, tally: Tally
) -> None:
    with running(injured(tmp_path)) as run:
        run.until_ready()
        first = guardian_of(run)
        second = in_reserve(first)
        for process in (first, second):
            process.suspend()
        for process in (first, second):
            process.kill()
        new = wait_until(lambda: next_after(run, {first.pid, second.pid}), what="a new guardian")
        assert new is not None
        assert in_reserve(psutil.Process(new)).is_running()
        run.kill()
        tally.cleaned("guardian and its reserve SIGKILL, then runtime SIGKILL", run)
        assert_stopped_in_order(run)
        assert_nothing_on_disk(run)


def next_after(run: Run, dead: set[int]) -> int | None:
    """Return the pid of the last guardian that was reported, if it is none of the dead."""
    news = [event["details"]["pid"] for event in run.telemetry() if "replaced" in event["event"]]
    return next((pid for pid in news[-1:] if pid not in dead), None)


@pytest.mark.skipif(sys.platform == "win32", reason="the reserve is forked")
@pytest.mark.parametrize("still", [False, True], ids=["awake", "stopped"])
def test_a_guardian_that_dies_at_its_work_is_followed_by_its_reserve(
    tmp_path: Path, tally: Tally, still: bool
) -> None:
    """Also by one that stood still when the work began."""
    made = slow_to_stop(tmp_path, over := tmp_path / "over")
    with running(made) as run:
        run.until_ready()
        guardian = guardian_of(run)
        reserve = in_reserve(guardian)
        if still:
            reserve.suspend()
        run.kill()
        wait_until(lambda: run.events("slow", "signal"), what="the stop signal")
        guardian.kill()
        over.touch()
        tally.cleaned("runtime SIGKILL, then guardian SIGKILL while it stops", run)
        assert_nothing_on_disk(run)


@pytest.mark.skipif(sys.platform == "win32", reason="the reserve is forked")
def test_a_reserve_that_stands_still_is_not_left_behind(tmp_path: Path, tally: Tally) -> None:
    with running(injured(tmp_path)) as run:
        run.until_ready()
        reserve = in_reserve(guardian_of(run))
        reserve.suspend()
        run.kill()
        tally.cleaned("reserve SIGSTOP, then runtime SIGKILL", run)
        assert_nothing_on_disk(run)
        wait_until(lambda: not lives(reserve), what="the end of the one in reserve")


LAST_ACT = """
import os
import signal
import sys

unlink = os.unlink


def unlink_and_die(path, **where):
    unlink(path, **where)
    if os.path.basename(path) == "instance.json":
        os.kill(os.getpid(), signal.SIGKILL)


os.unlink = unlink_and_die

from bundlevisor.control.__main__ import main

sys.exit(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the reserve is forked")
def test_when_the_record_is_gone_no_guardian_stands_still(tmp_path: Path, tally: Tally) -> None:
    """If the runtime is killed in that moment, nobody else would find those."""
    with starting(injured(tmp_path), command=(sys.executable, "-c", LAST_ACT)) as run:
        run.await_listening()
        run.until_ready()
        guardians = [guardian_of(run), in_reserve(guardian_of(run))]
        for process in guardians:
            process.suspend()
        run.kill(signal.SIGTERM)
        assert run.wait_gone() == -signal.SIGKILL
        wait_until(lambda: not any(map(lives, guardians)), what="the end of the guardians")
        tally.cleaned("guardians SIGSTOP, runtime SIGKILL at its very end", run)
        assert_nothing_on_disk(run)
