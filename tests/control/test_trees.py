"""The trees of services as Linux' /proc shows them are those that psutil shows."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bundlevisor.testing.processes import suspend
from tests import absent

if sys.platform != "linux":
    pytest.skip("it compares Linux' way with the others'", allow_module_level=True)

from bundlevisor.control.api import metrics, trees_linux, trees_psutil, usage
from bundlevisor.control.api.process_sample import Sample


def test_trees_are_the_same_whoever_looks() -> None:
    """A leader, its child, and one in a session of its own; no stranger, and not what has ended."""
    sleep = "import time; print(flush=True); time.sleep(600)"
    parent = f"""
import subprocess, sys
for own in (False, True):
    child = subprocess.Popen([sys.executable, "-c", {sleep!r}], start_new_session=own, stdout=-1)
    child.stdout.readline()
    print(child.pid, flush=True)
{sleep}
"""
    command = [sys.executable, "-c", parent, "a name) with (blanks"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as leader:
        assert leader.stdout is not None
        pids = {leader.pid, *(int(leader.stdout.readline()) for _ in range(2))}
        leader.stdout.readline()
        leaders = {leader.pid, os.getppid(), 1 << 30}
        try:
            for pid in pids:  # none is still on its way to sleep, which takes processor time
                suspend(psutil.Process(pid))
            ours, theirs = trees_linux.samples(leaders), trees_psutil.samples(leaders)
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
    assert {one: tree.keys() for one, tree in ours.items()} == {
        leader.pid: pids,
        os.getppid(): set(),
        1 << 30: set(),
    }
    assert {one: tree.keys() for one, tree in theirs.items()} == {
        one: tree.keys() for one, tree in ours.items()
    }
    for pid, sample in ours[leader.pid].items():
        other = theirs[leader.pid][pid]
        assert sample.rss_bytes == pytest.approx(other.rss_bytes, rel=0.1)
        assert sample.cpu_seconds == pytest.approx(other.cpu_seconds)
        age = trees_linux.now() - sample.created
        assert age == pytest.approx(trees_psutil.now() - other.created, abs=2.0)


INSIDE = """
import errno
import os
from tests.control.test_trees import test_trees_are_the_same_whoever_looks
assert os.getsid(0) == 0
test_trees_are_the_same_whoever_looks()
print("seen")
"""


def test_trees_are_seen_where_the_runtime_has_no_session() -> None:
    """As in a container that it was started into from outside: all here have session 0."""
    spaces = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]
    try:
        subprocess.run([*spaces, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        absent.skip("unshare(1) that may make namespaces")
    done = subprocess.run(
        [*spaces, sys.executable, "-"],
        input=INSIDE,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "seen\n"), done.stderr


def test_without_a_descriptor_to_look_by_usage_is_that_of_the_last_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All else of a status can still be told, and somebody needs it then."""
    meter = usage.Meter()
    monkeypatch.setattr(usage, "FRESH_S", 0.0)
    monkeypatch.setattr(trees_linux, "samples", lambda _: {4: {4: Sample(1.0, 2.0, 3)}})
    seen = meter.measure([4])
    monkeypatch.undo()
    monkeypatch.setattr(trees_linux, "pids", lambda: os.listdir("/proc/no such folder"))
    monkeypatch.setattr(usage, "FRESH_S", 0.0)
    assert meter.measure([4, 5]) == seen | {5: usage.Usage()}


def test_without_a_descriptor_to_look_by_metrics_leave_out_the_runtimes_own_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    list(metrics.of_process())

    def refused(_pid: int | None = None) -> psutil.Process:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), "/proc/self/stat")

    monkeypatch.setattr(psutil, "Process", refused)
    assert not list(metrics.of_process())
