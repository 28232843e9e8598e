from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from bundlevisor.perf import bundles, processes, programs
from bundlevisor.perf.contender import Run, installed
from bundlevisor.perf.questions import idle
from tests import absent


def _use_processor(seconds: float) -> None:
    while time.thread_time() < seconds:
        pass


@pytest.mark.permissions
def test_a_runtime_that_hides_its_environment_is_counted_all_the_same(tmp_path: Path) -> None:
    program = programs.find()
    bundle = bundles.write(bundles.shape("independent2"), str(tmp_path), program)
    with Run(installed("command"), bundle) as run:
        run.get_up()
        own = idle.own_processes(run)
        assert run.process.pid in own
        assert len(own) >= 2, "its guardian is one of them"
        assert {one.pid for one in run.record}.isdisjoint(own)
    assert run.processes == []


@absent.unless(processes.PROC, "/proc")
def test_who_ends_while_it_is_looked_at_is_none_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def words(_: int, what: str) -> list[bytes]:
        raise PermissionError if what == "environ" else ProcessLookupError

    monkeypatch.setattr(processes, "_words", words)
    assert processes.marked("MARK", "1", "/folder") == []


def test_what_an_ended_thread_used_is_still_counted() -> None:
    before = processes.cpu_seconds([os.getpid()])
    thread = threading.Thread(target=_use_processor, args=(0.05,))
    thread.start()
    thread.join()
    assert processes.cpu_seconds([os.getpid()]) - before >= 0.05


@absent.unless(processes.PROC, "/proc and the clocks of Linux")
def test_the_processor_time_of_a_process_that_has_gone_is_an_error() -> None:
    with pytest.raises(OSError, match=r".+"):
        processes.cpu_seconds([2**22 + 1])
