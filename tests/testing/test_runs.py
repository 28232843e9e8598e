"""Several runs: of one object, of one folder, side by side; and what is told of a refused one."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import psutil
import pytest

from bundlevisor.testing import Bundle, NotWithin, Runtime, processes


def test_what_runs_is_not_started_again(tmp_path: Path) -> None:
    with Runtime(Bundle(tmp_path).service("db")) as runtime:
        runtime.wait_ready()
        with pytest.raises(RuntimeError, match="has been started already"):
            runtime.start()
        assert runtime.service("db").state == "ready"


def test_a_second_instance_that_is_refused_leaves_the_first_alone(tmp_path: Path) -> None:
    bundle = Bundle(tmp_path).service("db")
    with Runtime(bundle) as first:
        first.wait_ready()
        with pytest.raises(AssertionError, match="another instance"):
            Runtime(bundle).start()
        assert first.service("db").state == "ready"


def test_a_second_instance_that_is_stopped_leaves_the_first_alone(tmp_path: Path) -> None:
    bundle = Bundle(tmp_path).service("db")
    with Runtime(bundle) as first:
        first.wait_ready()
        second = Runtime(bundle)
        second.spawn()
        try:
            assert second.stop() != 0, "it is refused, and asks nothing of the first"
        finally:
            second.kill_everything()
        assert first.service("db").state == "ready"


def test_a_folder_in_place_of_the_events_is_no_fault_of_the_suite(tmp_path: Path) -> None:
    bundle = Bundle(tmp_path).service("db")
    (bundle.app_data / bundle.document["telemetry"]["file"]).mkdir(parents=True)
    with Runtime(bundle) as runtime:
        runtime.wait_ready()
        assert runtime.events == []


@pytest.mark.skipif(sys.platform == "win32", reason="mkfifo(3)")
def test_a_pipe_in_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    runtime = Runtime(Bundle(tmp_path).service("db"))
    for name in ("telemetry/events.jsonl", "logs/db.log", "runtime/auth-token"):
        (runtime.app_data / name).parent.mkdir(parents=True)
        os.mkfifo(runtime.app_data / name)
    assert runtime.events == []
    with pytest.raises(OSError, match="a pipe"):
        _ = runtime.service("db").log
    with pytest.raises(OSError, match="a pipe"):
        _ = runtime.token


def test_an_event_that_is_waited_for_is_one_of_this_run(tmp_path: Path) -> None:
    bundle = Bundle(tmp_path).service("db")
    with Runtime(bundle) as first:
        before = first.wait_event("service_ready", "db")["seq"]
    with Runtime(bundle) as again:
        assert again.wait_event("service_ready", "db")["seq"] > before
        assert again.wait_event("service_ready", "db", after=0)["seq"] == before


def test_bundles_that_run_side_by_side_have_no_port_in_common(tmp_path: Path) -> None:
    with ExitStack() as stack:
        bundles = [Bundle(tmp_path / str(number)).service("db") for number in range(5)]
        for bundle in bundles:
            stack.enter_context(Runtime(bundle)).wait_ready()  # the laws are checked one by one
    firsts = {bundle.document["ports"]["default_range"]["min"] for bundle in bundles}
    assert len(firsts) == len(bundles)


@pytest.mark.parametrize("name", ["a $HOME b", 'quo"te', "back`tick", "it's", "${db.http}"])
def test_a_bundle_runs_in_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    with Runtime(Bundle(tmp_path / name).service("db")) as runtime:
        runtime.wait_ready()


@pytest.mark.skipif(os.name != "posix", reason="a shell")
def test_a_program_of_any_language_runs(tmp_path: Path) -> None:
    bundle = Bundle(tmp_path).file("bin/mine", "#!/bin/sh\necho it runs as $1\nexec sleep 60\n")
    with Runtime(bundle.service("mine", ["bin/mine", "told"])) as runtime:
        runtime.wait(lambda: "it runs as told" in runtime.service("mine").log, "its word")


CHECK = """
import os, pathlib, sys
data = pathlib.Path(os.environ["APP_DATA_DIR"])
(data / "asked").touch()
sys.exit(not (data / "well").exists())
"""


def test_a_program_is_ready_when_its_own_health_check_answers_well(tmp_path: Path) -> None:
    bundle = (
        Bundle(tmp_path)
        .script("bin/check", CHECK)
        .script("bin/mine", "import time; time.sleep(600)")
    )
    health = {"type": "command", "command": ["bin/check"], "interval_ms": 20}
    with Runtime(bundle.service("mine", ["bin/mine"], health=health)) as runtime:
        runtime.wait((bundle.app_data / "asked").exists, "a check")
        assert runtime.service("mine").state == "starting"
        (bundle.app_data / "well").touch()
        runtime.wait_ready()


@pytest.mark.parametrize("wrong", [{"telemetry": {}}, {"telemetry": 5}, {"ports": []}, {"ipc": 5}])
def test_a_bundle_that_is_wrong_has_a_story_and_keeps_the_laws(
    tmp_path: Path, wrong: dict[str, Any]
) -> None:
    runtime = Runtime(Bundle(tmp_path).service("db", log_dir=5).set(**wrong))
    runtime.spawn()
    assert runtime.wait_ended() == 2
    assert f"{next(iter(wrong))}" in runtime.story()
    runtime.assert_nothing_left()
    runtime.kill_everything()


def test_a_runtime_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with Runtime(Bundle(tmp_path).service("db")) as runtime:
        runtime.wait_ready()
        runtime.freeze()
        with pytest.raises(NotWithin, match="-- states\n   the runtime does not answer: Timeout"):
            runtime.wait_ended(within=0)
        runtime.thaw()


BUSY = """
import sys, threading

def turn():
    while True:
        pass

for _ in range(2):
    threading.Thread(target=turn, daemon=True).start()
print("turning", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the states of threads are Linux'")
def test_all_threads_of_what_is_frozen_stand_still() -> None:
    words = [sys.executable, "-c", BUSY]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as busy:
        assert busy.stdout is not None
        busy.stdout.readline()
        tasks = Path(f"/proc/{busy.pid}/task")
        try:
            for _ in range(20):
                processes.suspend(psutil.Process(busy.pid))
                states = [
                    (task / "stat").read_text().rsplit(")")[-1][1] for task in tasks.iterdir()
                ]
                assert states == ["T"] * 3
                psutil.Process(busy.pid).resume()
        finally:
            busy.kill()


def refused(_kind: str) -> NoReturn:
    """As on macOS without root."""
    raise psutil.AccessDenied


@pytest.mark.parametrize("all_at_once", [True, False])
def test_who_holds_a_port_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, all_at_once: bool
) -> None:
    if not all_at_once:
        monkeypatch.setattr(psutil, "net_connections", refused)
        # for each process that has sockets Linux tells those of the whole machine once more
        own = partial(psutil.Process().children, recursive=True)
        monkeypatch.setattr(psutil, "process_iter", own)
    other = Bundle(tmp_path / "other").service("db")
    span = other.document["ports"]["default_range"]
    mine = Bundle(tmp_path / "mine", port_range=(span["min"], span["max"])).service("db")
    with Runtime(other) as holder:
        holder.wait_ready()
        (port,), pid = holder.service("db").ports.values(), holder.service("db").pid
        runtime = Runtime(mine)
        runtime.start()
        runtime.stop()
        with pytest.raises(NotWithin, match=f"port {port} is held by pid {pid} .*db"):
            runtime.assert_nothing_left(within=0.1)
        runtime.kill_everything()
