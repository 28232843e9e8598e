"""Where a sandbox refuses a system call, all is as it is elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bundle_maker import starting
from tests.faults.scene import assert_nothing_on_disk, assert_stopped_in_order, injured
from tests.faults.tally import Tally
from tests.installed import COMMAND
from tests.refused_calls import NUMBERS, refusing

if not NUMBERS:
    pytest.skip("refused by a filter of Linux on a machine that is known", allow_module_level=True)


@pytest.mark.parametrize("call", ["memfd_create", "prlimit"])
def test_a_runtime_that_is_killed_in_a_sandbox_leaves_nothing(
    tmp_path: Path, tally: Tally, call: str
) -> None:
    with starting(injured(tmp_path), command=[*refusing(call), *COMMAND]) as run:
        run.await_listening()
        run.until_ready()
        run.kill()
        tally.cleaned(f"runtime SIGKILL, {call} refused", run)
        assert_stopped_in_order(run)
        assert_nothing_on_disk(run)
