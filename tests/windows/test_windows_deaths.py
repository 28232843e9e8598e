"""What is left when the runtime dies: a stand-in for the runtime spawns one service and is ended.

Node stands in for Electron, whose main process it is: it spawns the runtime as libuv does, in a job
of the shell's that ends the runtime with the shell.
"""

from __future__ import annotations

import _winapi
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from bundlevisor.actors.process.table import windows as table
from bundlevisor.actors.process.windows import exit_event, jobs
from tests.windows import started as services

assert sys.platform == "win32"

PROCESS_DUP_HANDLE = 0x40
DUPLICATE_SAME_ACCESS = 2
RUNTIME = """
import _winapi, os, sys, time
from bundlevisor.actors.process import child_windows
from bundlevisor.actors.process.windows import exit_event, jobs
from bundlevisor.actors.process.spawn_request import SpawnRequest
runtime_job = jobs.runtime_job()
if "inside" in sys.argv:
    runtime_job.assign(_winapi.GetCurrentProcess())
nul = os.open("NUL", os.O_RDWR)
argv = (sys.executable, "-c", "import time; time.sleep(600)")
request = SpawnRequest(argv=argv, env=dict(os.environ), cwd=os.getcwd(), output=nul)
child = child_windows.spawn(request)
print(os.getpid(), child.pid, runtime_job.handle, flush=True)
if "watch" in sys.argv:
    exit_event.watch_process(None, os.getppid(), lambda: (print("parent gone", flush=True)))
time.sleep(600)
"""
SHELL = """
const child = require("child_process").spawn(process.argv[1], process.argv.slice(2),
                                             {stdio: ["pipe", "pipe", "inherit"]})
child.stdout.pipe(process.stdout)
setTimeout(() => {}, 600000)
"""


class StandIn:
    """A runtime with one service, and a second holder (this process) of its job."""

    def __init__(self, *command: str) -> None:
        self.top = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        assert self.top.stdout
        self.runtime, self.service, handle = map(int, self.top.stdout.readline().split())
        source = _winapi.OpenProcess(PROCESS_DUP_HANDLE, False, self.runtime)
        ours = _winapi.GetCurrentProcess()
        held = _winapi.DuplicateHandle(source, handle, ours, 0, False, DUPLICATE_SAME_ACCESS)
        _winapi.CloseHandle(source)
        self.runtime_job = jobs.Job(held)

    def end(self) -> None:
        """End whatever is left of it."""
        self.top.kill()
        self.top.wait()
        self.runtime_job.close()
        assert self.top.stdout
        self.top.stdout.close()


@pytest.fixture
def stand_ins() -> Iterator[list[StandIn]]:
    made: list[StandIn] = []
    yield made
    for stand_in in made:
        stand_in.end()


def _runtime(stand_ins: list[StandIn], *words: str) -> StandIn:
    stand_ins.append(StandIn(sys.executable, "-c", RUNTIME, *words))
    return stand_ins[-1]


def _below_node(stand_ins: list[StandIn], *words: str) -> StandIn:
    node = os.environ.get("NODE_EXE") or pytest.skip("NODE_EXE names no node.exe")
    stand_ins.append(StandIn(node, "-e", SHELL, sys.executable, "-c", RUNTIME, *words))
    return stand_ins[-1]


def _gone(pid: int, what: str) -> None:
    services.wait_until(lambda: not services.is_alive(pid), f"the end of {what}")


def test_when_the_only_holder_of_the_runtimes_job_dies_its_services_end(
    stand_ins: list[StandIn],
) -> None:
    stand_in = _runtime(stand_ins)
    stand_in.runtime_job.close()
    assert services.is_alive(stand_in.service)
    stand_in.top.kill()
    _gone(stand_in.service, "the service")


def test_while_somebody_holds_the_runtimes_job_services_outlive_the_runtime(
    stand_ins: list[StandIn],
) -> None:
    stand_in = _runtime(stand_ins)
    stand_in.top.kill()
    stand_in.top.wait()
    assert services.is_alive(stand_in.service)
    assert stand_in.service in stand_in.runtime_job.pids()
    stand_in.runtime_job.close()
    _gone(stand_in.service, "the service")


def test_the_death_of_a_libuv_shell_ends_the_runtime_but_not_its_services(
    stand_ins: list[StandIn],
) -> None:
    stand_in = _below_node(stand_ins)
    stand_in.top.kill()
    _gone(stand_in.runtime, "the runtime")
    assert services.is_alive(stand_in.service)
    stand_in.runtime_job.close()
    _gone(stand_in.service, "the service")


def test_services_of_a_runtime_inside_its_own_job_would_die_with_the_shell(
    stand_ins: list[StandIn],
) -> None:
    stand_in = _below_node(stand_ins, "inside")
    stand_in.top.kill()
    _gone(stand_in.runtime, "the runtime")
    _gone(stand_in.service, "the service, though the runtime's job is held")


def test_the_death_of_a_plain_parent_is_told() -> None:
    middle = (
        "import subprocess, sys, time\n"
        "subprocess.Popen([sys.executable, '-c', sys.argv[1], 'watch'], stdout=sys.stdout)\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", middle, RUNTIME], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    assert parent.stdout
    runtime = int(parent.stdout.readline().split()[0])
    parent.kill()
    parent.wait()
    assert parent.stdout.readline().strip() == b"parent gone"
    parent.stdout.close()
    table.send(runtime, table.created(runtime) or 0.0, 9)
    _gone(runtime, "the runtime")


def test_a_younger_process_with_the_parents_number_counts_as_gone(
    start: services.Starter, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    younger = start(services.SLEEPS).child.pid
    told = threading.Event()
    exit_event.watch_process(services.LOOP, younger, told.set)
    assert not told.wait(0.2)
    monkeypatch.setattr(os, "getppid", lambda: younger)
    exit_event.watch_process(services.LOOP, younger, told.set)
    assert told.wait(services.DEADLINE)
