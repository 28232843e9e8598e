"""When the process became ours, from what the system says of it."""

from __future__ import annotations

import hashlib
import time

import pytest

from bundlevisor.actors.telemetry.milestones import COLDEST, INTERPRETER, Recorder, within_tick


@pytest.mark.parametrize(
    ("estimate", "exec_at"),
    [
        (99.0, 100.0),  # the processor has worked in two threads at once
        (100.004, 100.004),
        (100.5, 100.01),  # something was waited for since
        (100.0 + COLDEST, 100.01),
        (101.0 + COLDEST, 101.0 + COLDEST),  # a shell ran in this process before
    ],
)
def test_a_start_is_within_the_tick_that_the_system_names(estimate: float, exec_at: float) -> None:
    assert within_tick(estimate, 100.0, 0.01) == exec_at


def test_exec_comes_before_our_first_line_by_processor_time_whatever_was_waited_for() -> None:
    at, used = time.monotonic(), time.process_time()
    hashlib.pbkdf2_hmac("sha256", b"", b"", 10_000)  # what comes between our first line and this
    assert Recorder(at, used).since_exec()["", INTERPRETER] >= used * 1000 / 2
