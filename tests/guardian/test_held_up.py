"""A guardian that was held has not waited meanwhile."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from tests.guardian.small_runtime import SmallRuntime, service
from tests.waiting import wait_until


def test_a_guardian_that_was_held_at_its_work_does_all_of_it(tmp_path: Path) -> None:
    """Longer than everything that it has patience for: a grace, the margin, the kernel's time."""
    services = [
        service("db", "ignores_term", grace_s=2.5),
        service("job", "ignores_term", depends_on=["db"], grace_s=2.5),
    ]
    with SmallRuntime(tmp_path / "h", *services) as small:
        small.wait_started()
        small.kill()
        wait_until(lambda: small.signals("job"), what="the first stop signal")
        os.kill(small.guardian, signal.SIGSTOP)
        time.sleep(10)  # the length of the fault
        os.kill(small.guardian, signal.SIGCONT)
        small.wait_clean()
        details = small.telemetry()[-1]["details"]
        assert (details["killed"], details["left"]) == (2, 0)
        assert small.signals("db"), "it was killed without having been asked"
