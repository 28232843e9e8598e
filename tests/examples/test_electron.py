"""The Electron example's way with the runtime, driven by Node: a stand-in and the real one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.examples.notes_running import PATH, copied_notes
from tests.examples.stand_in_runtime import TOKEN
from tests.installed import COMMAND
from tests.waiting import wait_until

HERE = Path(__file__).parent
ELECTRON = HERE.parents[1] / "electron"
NODE = shutil.which("node") or ""

POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and shebangs are POSIX")
pytestmark = pytest.mark.skipif(not NODE, reason="node is not installed")


class Shell:
    """A Node process in the place of Electron's main process."""

    def __init__(self, folder: Path) -> None:
        self.record_path = folder / "seen.txt"

    def command(self, task: str, *flags: str, grace_ms: int = 20_000) -> list[str]:
        stand_in = [sys.executable, str(HERE / "stand_in_runtime.py")]
        drive = [NODE, str(HERE / "electron_drive.js"), str(ELECTRON / "runtime.js")]
        return [*drive, task, str(grace_ms), *stand_in, "--record", str(self.record_path), *flags]

    def run(self, *flags: str, grace_ms: int = 20_000) -> dict[str, Any]:
        """Start, wait for readiness, stop; return what the shell saw."""
        command = self.command("all", *flags, grace_ms=grace_ms)
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.stdout, done.stderr
        seen: dict[str, Any] = json.loads(done.stdout)
        return seen

    def record(self) -> list[str]:
        """Return what the stand-in saw."""
        return self.record_path.read_text().splitlines() if self.record_path.exists() else []


@pytest.fixture
def electron(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_the_shell_shows_what_is_waited_for_until_all_is_ready(electron: Shell) -> None:
    seen = electron.run("--waits", "2")
    assert seen["shown"] == [["db: asked /health 3 times", "api waits for db"]] * 2
    assert seen["page"] == "http://127.0.0.1:28430/"
    assert seen["missing"] == "service 'nobody' has no port named 'http'"


def test_the_shell_stops_the_runtime_in_order(electron: Shell) -> None:
    assert electron.run()["ended"] == {"code": 0, "signal": None}
    assert "stopped in order" in electron.record()


@POSIX
def test_the_shell_runs_the_notes_in_the_real_runtime(electron: Shell, tmp_path: Path) -> None:
    data = tmp_path / "app-data"
    manifest = copied_notes(tmp_path) / "bundle.json"
    runtime = [*COMMAND, "run", "--manifest", manifest, "--app-data", data]
    command = [NODE, HERE / "electron_drive.js", ELECTRON / "runtime.js", "all", "20000", *runtime]
    done = subprocess.run(
        [str(word) for word in command],
        cwd=ELECTRON.parent,
        env={**os.environ, "PATH": PATH},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    seen = json.loads(done.stdout)
    assert seen["page"].startswith("http://127.0.0.1:284"), done.stderr
    assert seen["missing"] == "service 'nobody' has no port named 'http'"
    assert seen["ended"] == {"code": 0, "signal": None}
    assert not (data / "runtime" / "auth-token").exists(), "the stop was an orderly one"


def test_every_request_carries_the_token(electron: Shell) -> None:
    electron.run("--waits", "1")
    requests = [line for line in electron.record() if line.startswith(("GET", "POST"))]
    assert requests[:3] == ["GET /readyz?wait=0 True", "GET /readyz?wait=2 True", "GET /ports True"]
    assert all(line.endswith("True") for line in requests)


@POSIX
def test_a_runtime_that_does_not_stop_is_killed_at_last(electron: Shell) -> None:
    seen = electron.run("--deaf", grace_ms=300)
    assert seen["ended"] == {"code": None, "signal": "SIGKILL"}
    assert "end of stdin" in electron.record()


def test_a_runtime_that_ends_at_once_is_an_error_with_its_code(electron: Shell) -> None:
    seen = electron.run("--exit", "3")
    assert seen == {"error": "the runtime ended before it listened: code 3"}


def test_a_missing_runtime_is_an_error_that_names_it(electron: Shell) -> None:
    command = electron.command("all")
    command[command.index(sys.executable)] = "no-such-runtime"
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "no-such-runtime" in json.loads(done.stdout)["error"]


def test_a_talkative_runtime_is_not_held_up(electron: Shell) -> None:
    with subprocess.Popen(electron.command("stay", "--chatty"), stdout=subprocess.PIPE) as shell:
        try:
            wait_until(lambda: "all was read" in electron.record(), what="all output read")
        finally:
            shell.kill()


@POSIX
def test_the_death_of_the_shell_ends_the_runtime(electron: Shell) -> None:
    with subprocess.Popen(electron.command("stay"), stdout=subprocess.PIPE) as shell:
        assert shell.stdout
        runtime = psutil.Process(json.loads(shell.stdout.readline())["pid"])
        shell.send_signal(signal.SIGKILL)
    wait_until(lambda: "stopped in order" in electron.record(), what="an orderly stop")
    wait_until(lambda: not runtime.is_running(), what="the end of the runtime")


@pytest.mark.parametrize("name", ["main.js", "runtime.js", "waiting.js"])
def test_every_script_is_valid_javascript(name: str) -> None:
    subprocess.run([NODE, "--check", str(ELECTRON / name)], check=True)


def run_main(electron: Shell, tmp_path: Path, *flags: str) -> list[dict[str, Any]]:
    """Run electron/main.js against the stand-in; return what happened, in order."""
    stand_in = tmp_path / "bundlevisor"
    words = [sys.executable, str(HERE / "stand_in_runtime.py"), "--record", electron.record_path]
    stand_in.write_text(f"#!/bin/sh\nexec {' '.join(map(str, words))} {' '.join(flags)}\n")
    stand_in.chmod(0o755)
    done = subprocess.run(
        [NODE, "-r", str(HERE / "electron_stub.js"), str(ELECTRON / "main.js")],
        env={**os.environ, "BUNDLEVISOR": str(stand_in)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@POSIX
def test_the_main_process_waits_shows_the_page_and_quits_when_all_has_stopped(
    electron: Shell, tmp_path: Path
) -> None:
    seen = run_main(electron, tmp_path, "--waits", "1")
    assert [event["what"] for event in seen] == [
        *("camera", "window", "popup", "waiting", "waiting", "page", "quit", "quit"),
    ]
    assert [event["lines"] for event in seen if event["what"] == "waiting"] == [
        "",
        "db: asked /health 3 times\napi waits for db",
    ]
    assert [event["later"] for event in seen if event["what"] == "quit"] == [True, False]
    assert "stopped in order" in electron.record()


@POSIX
def test_the_window_of_the_main_process_is_locked_in(electron: Shell, tmp_path: Path) -> None:
    seen = {event["what"]: event for event in run_main(electron, tmp_path)}
    assert seen["window"]["sandbox"] is True
    assert seen["window"]["nodeIntegration"] is False
    assert "preload" not in seen["window"]
    assert seen["camera"]["granted"] is False
    assert seen["popup"]["action"] == "deny"
    assert (seen["page"]["foreign"], seen["page"]["own"]) == (True, False)
    assert TOKEN not in json.dumps(seen)


@POSIX
def test_the_main_process_says_why_it_cannot_start(electron: Shell, tmp_path: Path) -> None:
    seen = run_main(electron, tmp_path, "--exit", "2")
    assert [event["text"] for event in seen if event["what"] == "error"] == [
        "the runtime ended before it listened: code 2"
    ]
    assert seen[-1] == {"what": "quit", "later": False}
