"""A soak in small, and that it sees what must not be."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from bundlevisor.actors.files.rotating_file import GRACE, MAX_BYTES
from bundlevisor.manifest.format.app_data import ROTATED
from bundlevisor.perf.__main__ import main
from bundlevisor.perf.questions import soak_report, soak_watch
from bundlevisor.perf.questions.soak import Injected, Soak
from bundlevisor.perf.questions.soak_watch import GRACE_S, Sample, WrongStates, growth
from bundlevisor.testing import Bundle, Runtime

READY = {"state": "ready", "ready": True, "pid": os.getpid()}


def test_a_short_soak_finds_nothing_wrong_and_draws_its_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "soak.html"
    assert main(["soak", "--minutes", "0.1", "--seed", "7", "--html", str(page)]) == 0
    said = capsys.readouterr().out
    assert "seed 7" in said
    assert "services that did not come back  0" in said
    assert "<svg" in page.read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform != "linux", reason="nothing is hidden elsewhere")
def test_a_process_that_hides_is_looked_at_by_its_user_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(process: psutil.Process) -> int:
        raise psutil.AccessDenied(process.pid)

    monkeypatch.setattr(psutil.Process, "num_fds", refused)
    seen = soak_watch.look(os.getpid(), 1.0)
    assert seen is not None
    assert seen.memory_mib > 1
    assert seen.descriptors == os.stat("/proc/self/fd").st_size


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "ready", "ready": True, "pid": None},
        {"state": "ready", "ready": False, "pid": os.getpid()},
        {"state": "starting", "ready": True, "pid": os.getpid()},
        {"state": "failed", "ready": False, "message": "it ended with 1"},
    ],
)
def test_a_state_that_contradicts_the_processes_is_wrong_once_it_lasts(
    wrong: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    states = WrongStates()
    states.look({"api": wrong})
    clock[0] += GRACE_S
    states.look({"api": READY})
    states.look({"api": wrong})
    assert states.seen == []
    clock[0] += GRACE_S + 1
    states.look({"api": wrong})
    states.look({"api": wrong})
    assert [one.partition(":")[0] for one in states.seen] == ["api"]


def test_a_line_that_is_in_no_log_is_lost_and_one_after_a_flood_is_not(tmp_path: Path) -> None:
    lines = soak_watch.Lines()
    runtime = Runtime(Bundle(tmp_path).service("api"))
    with runtime:
        runtime.wait_ready()
        runtime.service("api").flood(1001)
        lines.say(runtime, "api")
        lines.say(runtime, "api")
    log = tmp_path / "app-data" / "logs" / "api.log"
    assert lines.count == 2
    assert lines.lost(runtime) == []
    log.write_text(log.read_text(encoding="utf-8").replace("soak line 2\n", ""), encoding="utf-8")
    assert lines.lost(runtime) == ["api: soak line 2"]


def test_a_line_that_was_rotated_away_is_not_lost(tmp_path: Path) -> None:
    """A soak of hours floods each log with more than is kept."""
    lines = soak_watch.Lines()
    with Runtime(Bundle(tmp_path).service("api")) as runtime:
        runtime.wait_ready()
        lines.say(runtime, "api")
        for _ in range(len(ROTATED)):
            runtime.service("api").flood(MAX_BYTES + GRACE)
        lines.say(runtime, "api")
        lines.say(runtime, "api")
    assert lines.count == 3
    assert lines.lost(runtime) == []
    log = tmp_path / "app-data" / "logs" / "api.log"
    log.write_bytes(log.read_bytes().replace(b"soak line 3", b""))
    assert lines.lost(runtime) == ["api: soak line 3"]


def test_growth_compares_the_ends_of_a_soak_and_needs_some_looks() -> None:
    looks = [Sample(float(n), 10.0 + n, 50, 3) for n in range(8)]
    found = {one.what: (one.first, one.last) for one in growth("runtime", looks)}
    assert found["runtime: memory, MiB"] == (10.5, 16.5)
    assert found["runtime: threads"] == (3.0, 3.0)
    assert growth("runtime", looks[:7]) == []


def test_what_did_not_come_back_is_told_and_fails(tmp_path: Path) -> None:
    soak = Soak(tmp_path, seed=1)
    soak.injected = [
        Injected("killed", "s01", 1.0, restarts=True, recovered_s=0.5),
        Injected("killed", "s02", 2.0, restarts=True),
    ]
    soak._open = {"s02": soak.injected[1]}
    assert "s02 not ready again after: killed" in soak.faults[0]
    assert "1 of 2" in soak_report.render(soak)
