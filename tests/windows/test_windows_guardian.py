from __future__ import annotations

import _winapi
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import psutil
import pytest

from bundlevisor.actors.guardian import channel_windows, starting
from bundlevisor.actors.guardian.link import Guardian
from bundlevisor.actors.process import table
from bundlevisor.actors.process.windows import jobs
from tests.windows import started as services

assert sys.platform == "win32"

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "guarded_runtime.py")
SHELL = """
const child = require("child_process").spawn(process.argv[1], process.argv.slice(2),
                                             {stdio: ["pipe", "pipe", "inherit"]})
child.stdout.pipe(process.stdout)
setTimeout(() => {}, 600000)
"""


class Guarded:
    """A runtime with its guardian and services, in a folder with a token."""

    def __init__(self, folder: Path, *wanted: str, shell: tuple[str, ...] = ()) -> None:
        self.folder = folder
        (folder / "token").write_text("secret")
        self.top = subprocess.Popen(
            [*shell, sys.executable, PROGRAM, str(folder), *wanted],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        said = self.hear()
        self.runtime: int = said["runtime"]
        self.guardian: int = said["guardian"]
        self.services: list[int] = said["services"]

    def hear(self) -> dict[str, Any]:
        assert self.top.stdout
        said: dict[str, Any] = json.loads(self.top.stdout.readline())
        return said

    @property
    def token(self) -> bool:
        return (self.folder / "token").exists()

    def telemetry(self) -> list[dict[str, Any]]:
        lines = (self.folder / "telemetry.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def end(self) -> None:
        self.top.kill()
        self.top.wait()
        for stream in (self.top.stdin, self.top.stdout):
            assert stream
            stream.close()
        kill(self.guardian)


def kill(pid: int) -> None:
    born = table.created(pid)
    if born is not None:
        table.send(pid, born, 9)


def gone(*pids: int) -> None:
    services.wait_until(lambda: not any(map(services.is_alive, pids)), f"the end of {pids}")


def up(guardian: int) -> None:
    """Wait until the guardian listens."""
    root = os.environ["SYSTEMROOT"]

    def left_the_folder() -> bool:
        return os.path.samefile(psutil.Process(guardian).cwd(), root)

    services.wait_until(left_the_folder, "a guardian that has left the runtime's folder")


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Any]:
    made: list[Guarded] = []

    def start(*wanted: str, shell: tuple[str, ...] = ()) -> Guarded:
        made.append(Guarded(tmp_path, *wanted, shell=shell))
        return made[-1]

    yield start
    for guarded in made:
        guarded.end()


def test_a_dead_runtime_leaves_no_service_no_token_and_one_line(run: Any) -> None:
    guarded = run("sleeps", "sleeps")
    up(guarded.guardian)
    assert all(map(services.is_alive, guarded.services))
    guarded.top.kill()
    gone(*guarded.services, guarded.guardian)
    assert not guarded.token
    (line,) = guarded.telemetry()
    assert line["event"] == "runtime_died"
    assert line["details"]["found"] == 2
    assert line["details"]["left"] == 0


def test_a_runtime_may_die_before_its_guardian_has_come_up(run: Any) -> None:
    guarded = run("sleeps")
    guarded.top.kill()
    gone(*guarded.services, guarded.guardian)
    assert not guarded.token
    assert guarded.telemetry()[0]["details"]["found"] == 1


def test_a_guardian_whose_console_is_closed_still_ends_what_a_dead_runtime_leaves(
    run: Any,
) -> None:
    guarded = run("sleeps")
    up(guarded.guardian)
    services.close_console(guarded.guardian)
    guarded.top.kill()
    gone(*guarded.services, guarded.guardian)
    assert not guarded.token
    assert guarded.telemetry()[0]["event"] == "runtime_died"


def test_the_guardian_says_which_exit_code_the_runtime_had(run: Any) -> None:
    guarded = run("sleeps")
    up(guarded.guardian)
    guarded.top.kill()  # our Popen keeps a handle, by which the code can still be asked
    gone(guarded.guardian)
    assert guarded.telemetry()[0]["details"]["exit_code"] == 1


def test_a_service_with_a_stop_request_of_its_own_stops_by_itself(run: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    guarded = run(f"http:{port}")
    up(guarded.guardian)
    services.wait_until(lambda: _listens(port), "a service that listens")
    guarded.top.kill()
    gone(*guarded.services, guarded.guardian)
    assert (guarded.folder / "obeyed").exists()
    details = guarded.telemetry()[0]["details"]
    assert (details["stopped"], details["killed"]) == (1, 0)


def _listens(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def test_when_runtime_and_guardian_die_at_once_the_kernel_ends_the_services(run: Any) -> None:
    guarded = run("sleeps", "sleeps")
    up(guarded.guardian)
    kill(guarded.guardian)
    guarded.top.kill()
    gone(*guarded.services, guarded.guardian)


def test_a_dead_guardian_is_replaced_by_one_that_knows_everything(run: Any) -> None:
    guarded = run("sleeps", "sleeps")
    up(guarded.guardian)
    kill(guarded.guardian)
    guarded.guardian = guarded.hear()["guardian"]
    up(guarded.guardian)
    assert all(map(services.is_alive, guarded.services))
    guarded.top.kill()
    gone(*guarded.services, guarded.guardian)
    assert not guarded.token
    assert guarded.telemetry()[0]["details"]["found"] == 2


def test_a_dismissed_guardian_ends_and_touches_nothing(run: Any) -> None:
    guarded = run("--dismiss", "sleeps")
    up(guarded.guardian)
    guarded.top.stdin.close()
    assert guarded.hear() == {"dismissed": True}
    gone(guarded.guardian)
    assert guarded.token
    assert not (guarded.folder / "telemetry.jsonl").exists()


def test_when_a_libuv_shell_dies_the_guardian_cleans_up_after_its_runtime(run: Any) -> None:
    node = os.environ.get("NODE_EXE") or pytest.skip("NODE_EXE names no node.exe")
    guarded = run("sleeps", shell=(node, "-e", SHELL))
    up(guarded.guardian)
    guarded.top.kill()
    gone(guarded.runtime, *guarded.services, guarded.guardian)
    assert not guarded.token
    assert guarded.telemetry()[0]["event"] == "runtime_died"


class Played:
    """A guardian that is not up yet."""

    pid = exitcode = 0

    def __init__(self, theirs: channel_windows.ReadEnd) -> None:
        self.theirs = theirs


def test_it_is_given_the_job_that_was_meant_though_its_number_is_anothers_by_now(
    monkeypatch: pytest.MonkeyPatch, start: services.Starter
) -> None:
    begun: list[Played] = []

    def play(theirs: channel_windows.ReadEnd) -> Played:
        begun.append(Played(theirs))
        return begun[-1]

    monkeypatch.setattr(starting, "first", play)
    guardian = Guardian.start("played")
    started = start(services.SLEEPS)
    child, number = started.child, started.child.job.handle
    guardian.spawned("played-1", child.pid, child.created, child.session)
    child.job.close()
    others = [jobs.create(kill_on_close=False) for _ in range(64)]
    assert number in [other.handle for other in others]
    end = begun[0].theirs
    assert end._sender is not None
    end._sender.connect(_winapi.OpenProcess(_winapi.PROCESS_ALL_ACCESS, False, os.getpid()))
    told = channel_windows.Receiver(end).receive() or []
    (session,) = [message[-1] for message, _ in told if message[0] == "spawned"]
    given = jobs.Job(-cast("int", session))
    try:
        assert child.pid in given.pids()
    finally:
        _winapi.TerminateProcess(child.process.number, 1)
