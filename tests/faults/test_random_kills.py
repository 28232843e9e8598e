"""kill -9 at random moments of start, run and stop, again and again on the same app-data."""

from __future__ import annotations

import random
import signal
from pathlib import Path

import pytest

from tests.bundle_maker import Bundle, Run, starting, wait_until
from tests.faults.scene import (
    assert_nothing_on_disk,
    assert_state_is_whole,
    half_written,
    leaked_ports,
    let_pass,
    rounds,
    with_all_state,
)
from tests.faults.tally import Tally

ROUNDS = 9
PHASES = ("start", "run", "stop")
START_S, RUN_S, STOP_S = 0.5, 0.3, 0.1
"""Seconds within which the moment lies: about as long as a start and a stop take."""


@pytest.mark.timeout(120 + 3 * rounds(ROUNDS))
def test_whenever_the_runtime_is_killed_nothing_is_left_and_all_state_can_be_read(
    tmp_path: Path, tally: Tally, dice: random.Random
) -> None:
    made = with_all_state(tmp_path)
    injected = 0
    while injected < rounds(ROUNDS):
        phase = PHASES[injected % len(PHASES)]
        with starting(made) as run:
            kill_in(run, phase, dice)
            if run.wait_gone() == 0:
                continue  # its stop was over sooner
            injected += 1
            tally.cleaned(f"runtime SIGKILL at a random moment of its {phase}", run)
            assert_nothing_on_disk(run)
        begin_logs_anew(made)
        assert_state_is_whole(made.app_data)
        assert not leaked_ports(made.app_data)
        assert "could not be used" not in run.stderr
    assert_a_good_run(made, tally)


def begin_logs_anew(made: Bundle) -> None:
    """The lines of each round are counted by themselves, before a rotation takes the oldest."""
    (made.records / "talker.jsonl").unlink(missing_ok=True)
    (made.app_data / "logs" / "talker.log").unlink(missing_ok=True)


def kill_in(run: Run, phase: str, dice: random.Random) -> None:
    if phase == "start":
        let_pass(dice, START_S)
    else:
        run.await_listening()
        run.until_ready()
        if phase == "stop":
            run.kill(signal.SIGTERM)
        let_pass(dice, STOP_S if phase == "stop" else RUN_S)
    run.kill()


def assert_a_good_run(made: Bundle, tally: Tally) -> None:
    """The last start finds all that the killed ones have left, and nothing else."""
    with starting(made) as run:
        run.await_listening()
        run.until_ready()
        assert "an earlier instance" not in run.stderr
        numbers = [event["seq"] for event in run.telemetry()]
        assert numbers == sorted(set(numbers))
        run.kill(signal.SIGTERM)
        assert run.wait_gone() == 0
        wait_until(lambda: not run.leftovers(), what="no process left")
        assert half_written(made.app_data) == []
