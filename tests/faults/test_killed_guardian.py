"""The guardian dies, alone or together with the runtime, and still nothing is left."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from bundlevisor.actors.process import table
from bundlevisor.testing.processes import lives, suspend
from tests.bundle_maker import Run, bundle, running, starting, wait_until
from tests.faults.scene import (
    assert_nothing_on_disk,
    assert_state_is_whole,
    assert_stopped_in_order,
    guardian_of,
    in_reserve,
    injured,
    leaked_ports,
    pids_of_services,
    replaced,
    slow_to_stop,
    stop_signals,
)
from tests.faults.tally import Tally, lost_lines

BOTH = "runtime and guardian SIGKILL at once (nobody reads the pipes), next start"


def kill_both(run: Run, guardian: psutil.Process) -> None:
    """Nobody can act on the others' death: all stand still when they are killed."""
    guardians = [guardian, in_reserve(guardian)]
    processes = [*guardians, psutil.Process(run.pid)]
    for process in processes:
        suspend(process)
    for process in processes:
        process.kill()
    run.wait_gone()
    wait_until(lambda: not any(g.is_running() for g in guardians), what="the guardians' end")


@contextlib.contextmanager
def somebody_elses(**env: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a session of its own that has nothing to do with any bundle."""
    process = subprocess.Popen(
        [sys.executable, "-ISc", "import sys; sys.stdin.read()"],
        stdin=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, **env},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdin
        process.stdin.close()


def test_a_new_guardian_knows_everything_that_the_killed_one_knew(
    tmp_path: Path, tally: Tally
) -> None:
    with running(injured(tmp_path)) as run:
        run.until_ready()
        first = guardian_of(run)
        first.kill()
        wait_until(lambda: replaced(run, first.pid), what="the new guardian")
        assert guardian_of(run).pid != first.pid
        run.kill()
        tally.cleaned("guardian SIGKILL, then runtime SIGKILL", run)
        assert_stopped_in_order(run)
        assert_nothing_on_disk(run)


def test_what_is_left_of_both_is_ended_by_the_next_start(tmp_path: Path, tally: Tally) -> None:
    made = injured(tmp_path)
    with running(made) as run:
        run.until_ready()
        kill_both(run, guardian_of(run))
        left = pids_of_services(run)
        assert {process.pid for process in run.leftovers()} >= left - talker(run)
        with running(made) as second:
            second.until_ready()
            wait_until(lambda: "an earlier instance" in second.stderr, what="a word on them")
            swept = alive(left)
            second.kill(signal.SIGTERM)
            assert second.wait_gone() == 0
            wait_until(lambda: not second.leftovers(), what="no process left")
            tally.note(BOTH, leftovers=swept, lost=lost_lines(second))
            assert not swept
            assert_nothing_on_disk(second)
            assert_state_is_whole(second.app_data)
            assert not leaked_ports(second.app_data)


def on_record(run: Run) -> dict[str, Any]:
    """Return what the instance has written down of itself."""
    record: dict[str, Any] = json.loads((run.app_data / "runtime" / "instance.json").read_bytes())
    return record


def talker(run: Run) -> set[int]:
    """It may have ended by itself: nobody reads what it writes."""
    return {event["pid"] for event in run.events("talker", "started")}


def alive(pids: set[int]) -> int:
    return sum(table.alive(pid, table.created(pid) or -1.0) for pid in pids)


@pytest.mark.parametrize("same_start_time", [False, True])
def test_a_process_that_has_got_the_pid_of_a_service_is_left_alone(
    tmp_path: Path, tally: Tally, same_start_time: bool
) -> None:
    made = injured(tmp_path)
    with running(made) as run, somebody_elses() as stranger:
        run.until_ready()
        wait_until(lambda: "db" in on_record(run)["services"], what="db on record")
        kill_both(run, guardian_of(run))
        left = pids_of_services(run)
        path = run.app_data / "runtime" / "instance.json"
        record = on_record(run)
        (entry,) = record["services"]["db"]
        entry["pid"] = stranger.pid
        if same_start_time:
            entry["created"] = table.created(stranger.pid)
        path.write_text(json.dumps(record))
        with running(made) as second:
            second.until_ready()
            assert not alive(left)
            assert stranger.poll() is None
        tally.note("both SIGKILL, pid on record is somebody else's now", leftovers=alive(left))


@pytest.mark.skipif(sys.platform != "linux", reason="found by the rlimit mark, which is Linux's")
def test_the_next_start_ends_even_what_shows_neither_mark_nor_session(
    tmp_path: Path, tally: Tally
) -> None:
    options = {"deaf": 1, "clear-env": 1}
    made = injured(tmp_path).service("stubborn", "double_fork", options=options).write()
    with running(made) as run:
        run.until_ready()
        wait_until(lambda: len(run.events("stubborn", "started")) == 2, what="the daemon")
        kill_both(run, guardian_of(run))
        left = pids_of_services(run)
        with running(made) as second:
            second.until_ready()
            tally.note(
                "both SIGKILL, tree: no mark, no session (rlimit mark)", leftovers=alive(left)
            )
            assert not alive(left)
            second.kill(signal.SIGTERM)
            assert second.wait_gone() == 0


def test_a_new_guardian_is_not_taken_for_what_a_service_left_behind(
    tmp_path: Path, tally: Tally
) -> None:
    """It is born after the only service, as that one's orphans are, and carries no mark either."""
    with running(bundle(tmp_path).service("api").write()) as run:
        run.until_ready()
        first = guardian_of(run)
        first.kill()
        wait_until(lambda: replaced(run, first.pid), what="the new guardian")
        second = guardian_of(run)
        run.post("/services/api/restart?wait=20")
        run.until_ready()
        assert second.is_running()
        assert guardian_of(run) == second
        run.kill(signal.SIGTERM)
        assert run.wait_gone() == 0
        tally.cleaned("guardian SIGKILL, then a restart and an orderly stop", run)
        assert_nothing_on_disk(run)


def test_an_orderly_stop_stays_one_when_the_guardian_is_killed_meanwhile(
    tmp_path: Path, tally: Tally
) -> None:
    made = slow_to_stop(tmp_path, over := tmp_path / "over")
    with running(made) as run:
        run.until_ready()
        guardian = guardian_of(run)
        run.kill(signal.SIGTERM)
        wait_until(lambda: run.events("slow", "signal"), what="the stop signal")
        guardian.kill()
        over.touch()
        assert run.wait_gone() == 0, run.stderr
        tally.cleaned("guardian SIGKILL while the runtime stops", run)
        assert_nothing_on_disk(run)
        assert not [event for event in run.telemetry() if event["event"] == "runtime_died"]


def test_a_guardian_that_stands_still_is_not_left_behind(tmp_path: Path, tally: Tally) -> None:
    with running(injured(tmp_path)) as run:
        run.until_ready()
        guardian_of(run).suspend()
        run.kill(signal.SIGTERM)
        assert run.wait_gone() == 0
        tally.cleaned("guardian SIGSTOP, then an orderly stop", run)
        assert_nothing_on_disk(run)


UNRECORDED = """
import os
import signal
import sys

from bundlevisor.control.run.endpoint_files import EndpointFiles


def stop_the_guardian_and_die(self):
    pid, _ = self._guardian.in_order()[0]
    os.kill(pid, signal.SIGSTOP)
    os.write(2, b"%d\\n" % pid)
    os.kill(os.getpid(), signal.SIGKILL)


EndpointFiles.write = stop_the_guardian_and_die

from bundlevisor.control.__main__ import main

sys.exit(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGSTOP")
def test_a_guardian_that_stands_still_since_before_the_record_is_woken_by_the_next_start(
    tmp_path: Path, tally: Tally
) -> None:
    made = injured(tmp_path)
    with starting(made, command=(sys.executable, "-c", UNRECORDED)) as run:
        assert run.wait_gone() == -signal.SIGKILL
        guardian = psutil.Process(int(run.stderr.split()[-1]))
        with running(made) as second:
            second.until_ready()
            second.until_said(awaited(guardian))
            tally.note("guardian SIGSTOP before the record, next start", leftovers=lives(guardian))
            assert not lives(guardian)


def awaited(guardian: psutil.Process) -> str:
    """Return what a start says that waits for this one."""
    return f"waiting for the guardian of an earlier instance (pid {guardian.pid}) to stop it"


@pytest.mark.parametrize("at_work", ["guardian", "reserve"])
def test_the_next_start_waits_for_a_guardian_at_work(
    tmp_path: Path, tally: Tally, at_work: str
) -> None:
    """An orderly stop is not made disorderly by a hurried user."""
    made = slow_to_stop(tmp_path, over := tmp_path / "over")
    with running(made) as run:
        run.until_ready()
        guardian = guardian_of(run)
        reserve = in_reserve(guardian)
        wait_until(lambda: on_record(run)["reserve_pid"] == reserve.pid, what="the record")
        suspend(psutil.Process(run.pid))
        if at_work == "reserve":
            guardian.kill()
        run.kill()
        run.wait_gone()
        wait_until(lambda: run.events("slow", "signal"), what="the stop signal")
        with starting(made) as second:
            second.until_said(awaited(guardian if at_work == "guardian" else reserve))
            over.touch()
            second.await_listening()
            signals = stop_signals(run)
            tally.note(f"start while the {at_work} is at work", leftovers=0)
            assert [name for name, _ in signals].count("slow") == 1
            ends = {name: run.events(name, "exit")[0]["t"] for name in ("slow", "api")}
            assert ends["slow"] <= next(e["t"] for e in run.events("api", "signal")), (
                "api was stopped before what depends on it"
            )
            second.until_ready()


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGTERM")
def test_a_start_that_waits_for_a_guardian_can_be_ended(tmp_path: Path) -> None:
    made = slow_to_stop(tmp_path, over := tmp_path / "over")
    with running(made) as run:
        run.until_ready()
        guardian = guardian_of(run)
        run.kill()
        with starting(made) as second:
            second.until_said(awaited(guardian))
            second.kill(signal.SIGTERM)
            assert second.wait_gone() == 0
            assert lives(guardian), "it has ended after that one only"
        over.touch()
