"""kill -9 at random moments of start, run and stop, from nothing and from what others have left."""

from __future__ import annotations

import random
import shutil
import signal
import time
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
SPAWNS = 1.2
"""Where it lies in a start, mostly, from when the runtime listens, in terms of the time until then:
so it is among the first spawns, 60 ms on a quiet machine, and on a busy one too."""


@pytest.mark.timeout(120 + 3 * rounds(ROUNDS))
def test_whenever_the_runtime_is_killed_nothing_is_left_and_all_state_can_be_read(
    tmp_path: Path, tally: Tally, dice: random.Random
) -> None:
    made = with_all_state(tmp_path)
    injected = 0
    while injected < rounds(ROUNDS):
        phase = PHASES[injected % len(PHASES)]
        if injected % 2 == 0:
            begin_from_nothing(made)
        began = time.monotonic()
        with starting(made) as run:
            kill_in(run, phase, dice, began)
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


def begin_from_nothing(made: Bundle) -> None:
    """The very first start makes what all later ones find."""
    shutil.rmtree(made.app_data, ignore_errors=True)
    begin_logs_anew(made)


def begin_logs_anew(made: Bundle) -> None:
    """The lines of each round are counted by themselves, before a rotation takes the oldest."""
    for file in (*made.records.glob("*.jsonl"), *made.app_data.glob("logs/*.log")):
        file.unlink()


def kill_in(run: Run, phase: str, dice: random.Random, began: float) -> None:
    if phase == "start":
        if dice.randrange(3):
            run.await_listening()
            let_pass(dice, SPAWNS * (time.monotonic() - began))
        else:
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
        numbers = [event["seq"] for event in run.telemetry()]
        assert numbers == sorted(set(numbers))
        run.kill(signal.SIGTERM)
        assert run.wait_gone() == 0
        wait_until(lambda: not run.leftovers(), what="no process left")
        assert "an earlier instance" not in run.stderr
        assert half_written(made.app_data) == []
