"""The runtime dies in all the ways there are: the guardian stops everything in order."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import psutil
import pytest

if sys.platform == "win32":
    pytest.skip("the runtime dies by signals", allow_module_level=True)

import resource

from tests.bundle_maker import Run, bundle, running, starting, wait_until
from tests.faults.scene import assert_nothing_on_disk, assert_stopped_in_order, injured
from tests.faults.tally import Tally
from tests.hidden import MAY_LOOK


def told_of_its_death(run: Run) -> dict[str, object]:
    events = wait_until(
        lambda: [event for event in run.telemetry() if event["event"] == "runtime_died"],
        what="the line about the runtime's death",
    )
    details: dict[str, object] = events[-1]["details"]
    return details


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_a_runtime_that_dies_by_a_signal_leaves_nothing(
    tmp_path: Path, tally: Tally, number: signal.Signals
) -> None:
    with running(injured(tmp_path)) as run:
        run.until_ready()
        run.kill(number)
        tally.cleaned(f"runtime {number.name}", run)
        assert run.wait_gone() == -number
        assert_stopped_in_order(run)
        assert_nothing_on_disk(run)
        details = told_of_its_death(run)
        assert (details["found"], details["killed"], details["left"]) == (3, 0, 0)
        hidden = None if MAY_LOOK else number  # until it has been reaped
        assert details.get("signal", hidden) == number


def test_a_runtime_without_memory_leaves_nothing_when_it_is_killed(
    tmp_path: Path, tally: Tally
) -> None:
    """First no allocation succeeds, then comes the SIGKILL that the kernel sends for it."""
    with running(injured(tmp_path)) as run:
        run.until_ready()
        resource.prlimit(run.pid, resource.RLIMIT_AS, (1, 1))
        psutil.Process(run.bundle.events("db", "started")[0]["pid"]).kill()
        wait_until(lambda: run.process.poll() is not None or settled(run), what="the restart")
        if run.process.poll() is None:
            run.kill(signal.SIGKILL)
        tally.cleaned("runtime out of memory, then SIGKILL", run)
        assert_nothing_on_disk(run)
        assert told_of_its_death(run)["left"] == 0


def settled(run: Run) -> bool:
    """The death of a service was noticed, or there was no memory for that, which is said."""
    noticed = any(event["event"] in ("service_exit", "service_failed") for event in run.telemetry())
    return noticed or "MemoryError" in run.stderr


TREES: dict[str, tuple[str, dict[str, object]]] = {
    "ignores-term": ("ignores_term", {}),
    "deaf-grandchildren": ("forks_grandchild", {"children": 3}),
    "double-fork": ("double_fork", {}),
    "deaf-double-fork": ("double_fork", {"deaf": 1}),
    "deaf-double-fork-on-stdout": ("double_fork", {"deaf": 1, "keep-stdout": 1}),
}


def test_stubborn_trees_end_with_a_killed_runtime(tmp_path: Path, tally: Tally) -> None:
    made = injured(tmp_path)
    for id_, (program, options) in TREES.items():
        made.service(id_, program, options=options, stop={"timeout_ms": 300})
    with running(made.write()) as run:
        run.until_ready()
        run.kill()
        tally.cleaned(f"runtime SIGKILL, trees: {', '.join(TREES)}", run)
        assert_nothing_on_disk(run)


def test_a_tree_that_cleared_its_environment_ends_while_the_runtime_lives(
    tmp_path: Path, tally: Tally
) -> None:
    options = {"deaf": 1, "clear-env": 1}
    made = injured(tmp_path).service(
        "stubborn", "double_fork", options=options, stop={"timeout_ms": 300}
    )
    with running(made.write()) as run:
        run.until_ready()
        wait_until(lambda: len(run.events("stubborn", "started")) == 2, what="the daemon")
        run.kill(signal.SIGTERM)
        assert run.wait_gone() == 0
        tally.cleaned("orderly stop, tree: no mark, no session (subreaper)", run)


@pytest.mark.skipif(sys.platform != "linux", reason="found by the rlimit mark, which is Linux's")
def test_a_tree_that_cleared_its_environment_ends_with_a_killed_runtime(
    tmp_path: Path, tally: Tally
) -> None:
    """Without runtime there is no subreaper; what the kernel inherits still says whose it is."""
    options = {"deaf": 1, "clear-env": 1}
    made = injured(tmp_path).service(
        "stubborn", "double_fork", options=options, stop={"timeout_ms": 300}
    )
    with running(made.write()) as run:
        run.until_ready()
        wait_until(lambda: len(run.events("stubborn", "started")) == 2, what="the daemon")
        run.kill()
        tally.cleaned("runtime SIGKILL, tree: no mark, no session (rlimit mark)", run)
        assert_nothing_on_disk(run)


DEADLY = """#!/bin/sh
trap '' TERM
kill -9 $PPID
i=0
while [ $i -lt 100 ]; do echo line $i; i=$((i + 1)); done
"""


def test_a_service_that_kills_the_runtime_at_the_very_first_start_loses_no_line(
    tmp_path: Path, tally: Tally
) -> None:
    """Whatever the runtime had still to do for it, the folder of its log for instance."""
    made = bundle(tmp_path).file("bin/deadly", DEADLY)
    made.service("deadly", "bin/deadly", ports=(), health=None, readiness=None).write()
    (made.root / "bin" / "deadly").chmod(0o755)
    with starting(made) as run:
        assert run.wait_gone() == -signal.SIGKILL
        tally.cleaned("runtime SIGKILL by its first service", run)
        assert run.log("deadly").splitlines() == [f"line {number}" for number in range(100)]
        assert_nothing_on_disk(run)
