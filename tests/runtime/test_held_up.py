"""A runtime that stood still while a deadline passed: what came in time counts when it goes on."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from bundlevisor.actors.core.stop_deadline import MARGIN
from bundlevisor.testing import Bundle, Runtime
from bundlevisor.testing.processes import lives
from tests.waiting import WITHIN, wait_until

DEADLINE_MS = 3_000
HOLDS_UP = "#!/bin/sh\nup() { kill -STOP $PPID; }\n"
"""A service has its runtime stand still by itself, before it does what the runtime waits for."""


def passed(since: float, deadline_ms: float = DEADLINE_MS) -> Callable[[], bool]:
    return lambda: time.monotonic() > since + deadline_ms / 1000


def bad(runtime: Runtime) -> list[str]:
    wrong = ("service_not_ready", "service_killed", "restart", "unhealthy")
    return [event["event"] for event in runtime.events if event["event"] in wrong]


if sys.platform != "win32":

    def test_a_line_that_was_written_in_time_makes_ready(tmp_path: Path) -> None:
        there = tmp_path / "there"
        says = f"{HOLDS_UP}sleep 0.3\nup\necho at last\n: >'{there}'\nexec sleep 3600\n"
        bundle = Bundle(tmp_path).file("bin/says", says)
        wanted = {"type": "log_match", "pattern": "at l[a]st", "timeout_ms": DEADLINE_MS}
        bundle.service("says", ["bin/says"], readiness=wanted)
        with Runtime(bundle) as runtime:
            wait_until(there.exists, WITHIN, "its line")
            wait_until(passed(time.monotonic()), WITHIN, "the deadline to pass")
            runtime.thaw()
            runtime.wait_ready()
            assert bad(runtime) == []

    def test_a_service_that_ended_in_time_is_not_said_to_be_killed(tmp_path: Path) -> None:
        with Runtime(_ending(tmp_path)) as runtime:
            runtime.wait_ready()
            service = psutil.Process(runtime.service("ends").pid)
            with ThreadPoolExecutor(1) as beside:  # it may stand still before it has answered
                asked = beside.submit(runtime.post, "/services/ends/stop")
                _until_late(runtime, service, DEADLINE_MS)
                assert asked.result().status == 202
            runtime.service("ends").wait_state("stopped")
            assert bad(runtime) == []

    def test_a_stop_that_was_held_up_kills_nobody(tmp_path: Path) -> None:
        with Runtime(_ending(tmp_path)) as runtime:
            runtime.wait_ready()
            service = psutil.Process(runtime.service("ends").pid)
            runtime.terminate()
            _until_late(runtime, service, DEADLINE_MS + 1000 * MARGIN)
            runtime.wait_ended()
            assert "killing" not in runtime.stderr


def _ending(folder: Path) -> Bundle:
    ends = f"{HOLDS_UP}trap 'up; exit 0' TERM\necho here\nwhile :; do sleep 0.05; done\n"
    wanted = {"type": "log_match", "pattern": "here"}
    bundle = Bundle(folder).file("bin/ends", ends)
    stop = {"timeout_ms": DEADLINE_MS}
    return bundle.service("ends", ["bin/ends"], readiness=wanted, stop=stop)


def _until_late(runtime: Runtime, service: psutil.Process, deadline_ms: float) -> None:
    wait_until(lambda: not lives(service), WITHIN, "its end")
    wait_until(passed(time.monotonic(), deadline_ms), WITHIN, "the deadline to pass")
    runtime.thaw()
