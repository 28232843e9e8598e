"""Somebody removes app-data under a running instance: nothing runs twice, and it can be found."""

from __future__ import annotations

import json
import shutil
import signal
import sys
from pathlib import Path

import psutil
import pytest

from bundlevisor.testing.processes import suspend
from tests.bundle_maker import bundle, bundlevisor, running, starting, wait_until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps open files")


def remove(folder: Path) -> None:
    gone = folder.with_name("gone")
    folder.rename(gone)
    shutil.rmtree(gone)


def test_it_is_found_again_and_keeps_others_out(tmp_path: Path) -> None:
    made = bundle(tmp_path / "first").service("db").write()
    other = bundle(tmp_path / "second").service("db").write()
    with running(made) as run:
        run.until_ready()
        remove(run.app_data)
        files = [run.app_data / "runtime" / name for name in ("auth-token", "ipc_port")]
        record = run.app_data / "runtime" / "instance.json"
        wait_until(lambda: all(one.exists() for one in (record, *files)), what="all of its files")
        assert (run.app_data / "runtime" / "auth-token").read_text() == run.token
        assert (run.app_data / "runtime" / "ipc_port").read_text() == str(run.port)
        assert json.loads(record.read_bytes())["pid"] == run.pid
        assert bundlevisor("status", "--app-data", str(run.app_data)).returncode == 0
        with starting(other, app_data=run.app_data) as second:
            assert second.wait_gone() == 3
        assert not other.record("db")
        assert len(run.await_told("app_data_removed")) == 1
        run.kill(signal.SIGTERM)
        assert run.wait_gone() == 0
        assert not (run.app_data / "runtime" / "auth-token").exists()
        wait_until(lambda: not run.leftovers(), what="no process left")


def test_who_has_lost_it_to_another_ends_in_order(tmp_path: Path) -> None:
    made = bundle(tmp_path / "first").service("db").write()
    other = bundle(tmp_path / "second").service("db").write()
    with running(made) as run:
        run.until_ready()
        suspend(psutil.Process(run.pid))  # it would make the folder again
        remove(run.app_data)
        with running(other, app_data=run.app_data) as second:
            second.until_ready()
            run.kill(signal.SIGCONT)
            assert run.wait_gone() == 3
            assert "another instance has it now" in run.stderr
            assert run.record("db")[-1]["event"] == "exit"
            second.until_ready()
            assert (second.app_data / "runtime" / "auth-token").read_text() == second.token
