"""Faults that root does not escape: no more processes and threads, and a slow disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from bundlevisor.testing import Bundle, Runtime, faults, limits
from tests import absent

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="they are Linux'")

UPGRADED = """
import pathlib, sys, time
while not pathlib.Path(sys.argv[1]).exists():
    time.sleep(0.01)
print("upgraded", flush=True)
time.sleep(1000)
"""


def two(folder: Path) -> Bundle:
    restart = {"policy": "always", "intensity": 1000, "backoff_max_ms": 200}
    return Bundle(folder).service("db", restart=restart).service("api", needs=["db"])


def test_without_a_process_to_be_had_a_service_waits_and_comes_back(tmp_path: Path) -> None:
    try:
        limit = faults.task_limit()
        with limit as tasks, Runtime(two(tmp_path), wrapper=tasks.wrapper) as runtime:
            runtime.wait_ready()
            before = runtime.seq
            tasks.set(tasks.tasks // 2)
            runtime.service("db").kill()
            failed = runtime.wait_event("service_start_failed", "db", after=before)
            assert "may have no more processes" in failed["details"]["error"]
            assert runtime.get("/healthz").status == 200
            for path in ("/readyz", "/status", "/readyz?wait=0.1", "/events", "/metrics"):
                answer = runtime.get(path)  # some need a thread that is not there yet
                assert answer.status == 200 or answer.json()["code"] == "no_thread", answer
            before = runtime.seq
            tasks.set(None)
            runtime.wait_event("service_ready", "db", after=before)
            runtime.wait_ready()
    except PermissionError as error:
        absent.skip(str(error))


def test_without_a_thread_to_be_had_a_service_is_prepared_later(tmp_path: Path) -> None:
    restart = {"policy": "always", "intensity": 1000, "backoff_max_ms": 200}
    bundle = Bundle(tmp_path).service("db", restart=restart, assets=[{"path": "bundle.json"}])
    try:
        limit = faults.task_limit()
        with limit as tasks, Runtime(bundle, wrapper=tasks.wrapper) as runtime:
            runtime.wait_ready()
            before = runtime.seq
            tasks.set(tasks.tasks // 2)
            runtime.service("db").kill()
            failed = runtime.wait_event("service_start_failed", "db", after=before)
            assert "may have no more threads" in failed["details"]["error"]
            tasks.set(None)
            runtime.wait_event("service_ready", "db", after=before)
            assert not [one for one in runtime.events if one["event"] == "runtime_error"]
    except PermissionError as error:
        absent.skip(str(error))


def test_without_a_thread_to_be_had_what_is_upgraded_becomes_ready(tmp_path: Path) -> None:
    go_on = tmp_path / "go on"
    bundle = Bundle(tmp_path).script("bin/migrate", "").script("bin/db", UPGRADED)
    bundle.service(
        "db",
        ["bin/db", str(go_on)],
        migrations=[{"version": "1", "command": ["bin/migrate"], "run_on": "always"}],
        readiness={"type": "log_match", "pattern": "upgraded"},
    )
    try:
        limit = faults.task_limit()
        with limit as tasks, Runtime(bundle, wrapper=tasks.wrapper) as runtime:
            runtime.wait_event("service_start", "db")
            runtime.get("/readyz")  # the API is up by now: it takes threads, too
            tasks.set(tasks.tasks // 2)
            go_on.touch()
            runtime.wait_event("service_ready", "db")
            tasks.set(None)
            assert runtime.service("db").restarts == 0
            assert not [one for one in runtime.events if one["event"] == "runtime_error"]
    except PermissionError as error:
        absent.skip(str(error))


def test_without_a_thread_to_be_had_a_command_is_answered(tmp_path: Path) -> None:
    try:
        limit = faults.task_limit()
        with limit as tasks, Runtime(two(tmp_path), wrapper=tasks.wrapper) as runtime:
            runtime.wait_ready()
            runtime.get("/metrics")  # there is a thread by now for what takes longer
            tasks.set(tasks.tasks // 2)
            assert runtime.post("/services/db/restart").status == 202
            tasks.set(None)
    except PermissionError as error:
        absent.skip(str(error))


def test_a_limit_that_ends_before_its_run_is_lifted(tmp_path: Path) -> None:
    """As where the run is a fixture's."""
    runtime = None
    try:
        with faults.task_limit() as tasks:
            runtime = Runtime(two(tmp_path), wrapper=tasks.wrapper)
            runtime.start()
            runtime.wait_ready()
            tasks.set(tasks.tasks)
        runtime.service("db").restart()
        runtime.wait_ready()
        runtime.stop_in_order()
        runtime.assert_nothing_left()
    except PermissionError as error:
        absent.skip(str(error))
    finally:
        if runtime is not None:
            runtime.kill_everything()


def test_a_slow_disk_is_compiled_from_the_source_that_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not any(map(shutil.which, ("cc", "gcc", "clang"))):
        absent.skip("a C compiler")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = Path(faults.slow_sync(1)["LD_PRELOAD"]).read_bytes()
    source = tmp_path / "changed.c"
    source.write_text(limits.SLOW_SYNC.read_text() + "int changed = 7;\n")
    monkeypatch.setattr(limits, "SLOW_SYNC", source)
    assert Path(faults.slow_sync(1)["LD_PRELOAD"]).read_bytes() != before


def test_a_slow_disk_is_refused_where_no_program_would_see_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not any(map(shutil.which, ("cc", "gcc", "clang"))):
        absent.skip("a C compiler")
    (tmp_path / "with a blank").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "with a blank"))
    with pytest.raises(ValueError, match="set another TMPDIR"):
        faults.slow_sync(1)
    monkeypatch.setattr(limits, "WITHOUT_PRELOAD", (sys.platform,))
    with pytest.raises(PermissionError, match="slow_sync is Linux'"):
        faults.slow_sync(1)


def test_a_disk_that_takes_half_a_second_for_each_sync_holds_up_no_answer(tmp_path: Path) -> None:
    if not any(map(shutil.which, ("cc", "gcc", "clang"))):
        absent.skip("a C compiler")
    with Runtime(two(tmp_path), env=faults.slow_sync(500)) as runtime:
        runtime.wait_ready()
        before = runtime.seq
        assert runtime.service("db").restart()["done"] is True
        runtime.wait_event("service_ready", "db", after=before)
        assert runtime.get("/healthz").status == 200


def test_limits_are_those_of_the_run(tmp_path: Path) -> None:
    """The shell of Debian has another word for processes than others."""
    limited = faults.limited(files=200, processes=3000, memory_mib=2000)
    with Runtime(two(tmp_path), wrapper=limited) as runtime:
        runtime.wait_ready()
        process = psutil.Process(runtime.pid)
        assert process.rlimit(psutil.RLIMIT_NOFILE)[1] == 200
        assert process.rlimit(psutil.RLIMIT_NPROC)[1] == 3000
        assert process.rlimit(psutil.RLIMIT_AS)[1] == 2000 << 20


def test_a_limit_that_cannot_be_set_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="ulimit"):
        Runtime(two(tmp_path), wrapper=faults.limited(files=-1)).start()


def test_a_wait_that_is_none_ends() -> None:
    if not any(map(shutil.which, ("cc", "gcc", "clang"))):
        absent.skip("a C compiler")
    code = "import os, tempfile; file = tempfile.TemporaryFile(); os.fsync(file.fileno())"
    subprocess.run([sys.executable, "-c", code], env=faults.slow_sync(-1), check=True, timeout=60)


def test_only_a_small_disk_is_filled(tmp_path: Path) -> None:
    if shutil.disk_usage(tmp_path).free <= faults.MOST_FILLED:
        absent.skip("a disk with room")
    with pytest.raises(ValueError, match="MiB left: fill what small_disk has made"):
        faults.fill(tmp_path)
    with pytest.raises(FileNotFoundError):
        faults.fill(tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []


def test_only_an_environment_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = tmp_path / "bin" / "bundlevisor"
    monkeypatch.setenv("BUNDLEVISOR", str(command))
    with (
        pytest.raises(FileNotFoundError, match="in no virtual environment"),
        faults.movable_installation(tmp_path),
    ):
        pass


@pytest.mark.permissions
def test_a_folder_is_read_only_for_who_heeds_it(tmp_path: Path) -> None:
    with faults.read_only(tmp_path), pytest.raises(PermissionError):
        (tmp_path / "file").touch()
    (tmp_path / "file").touch()


@absent.unless(hasattr(os, "geteuid") and os.geteuid() == 0, "root, who may write everywhere")
def test_a_folder_that_can_still_be_written_is_told(tmp_path: Path) -> None:
    mode = tmp_path.stat().st_mode
    with pytest.raises(PermissionError, match="can still be written"), faults.read_only(tmp_path):
        pass
    assert tmp_path.stat().st_mode == mode
