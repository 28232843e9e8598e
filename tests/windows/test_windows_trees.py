from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from types import ModuleType

import pytest

from bundlevisor.actors.process import child_windows
from bundlevisor.actors.process.windows import api, exit_event, jobs
from tests.windows import started as services

assert sys.platform == "win32"

ORPHAN = (
    "import os, subprocess, sys\n"
    "flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP\n"
    "sleep = [sys.executable, '-c', 'import time; time.sleep(600)']\n"
    "print(subprocess.Popen(sleep, creationflags=flags, stdout=-3, stderr=-3).pid, flush=True)\n"
)
BREAKS_AWAY = (
    "import subprocess, sys, time\n"
    "sleep = [sys.executable, '-c', 'import time; time.sleep(600)']\n"
    "try: print(subprocess.Popen(sleep, creationflags=subprocess.CREATE_BREAKAWAY_FROM_JOB).pid)\n"
    "except PermissionError: print('refused')\n"
    "sys.stdout.flush(); time.sleep(600)\n"
)


def test_killing_a_service_ends_its_grandchildren(start: services.Starter) -> None:
    started = start(services.PARENT)
    leader, grandchild = map(int, started.line().split())
    assert leader == started.child.pid
    assert {leader, grandchild} <= set(started.child.survivors())
    started.child.kill()
    assert started.ended.wait(services.DEADLINE)
    services.wait_until(lambda: not started.child.survivors(), "an empty tree")
    assert not services.is_alive(grandchild)


def test_what_a_leader_leaves_behind_is_a_survivor_and_can_be_killed(
    start: services.Starter,
) -> None:
    started = start(ORPHAN)
    orphan = int(started.line())
    assert started.ended.wait(services.DEADLINE)
    assert started.child.poll() == 0
    assert orphan in started.child.survivors()
    started.child.kill()
    services.wait_until(lambda: not started.child.survivors(), "an empty tree")
    assert not services.is_alive(orphan)


def test_no_child_breaks_away_from_its_service(start: services.Starter) -> None:
    started = start(BREAKS_AWAY)
    said = started.line()
    assert said == "refused" or int(said) in started.child.survivors()


def test_killing_one_service_spares_the_others(start: services.Starter) -> None:
    doomed, spared = start(services.SLEEPS), start(services.SLEEPS)
    assert spared.line() == "up"
    doomed.child.kill()
    assert doomed.ended.wait(services.DEADLINE)
    assert spared.child.poll() is None
    assert spared.child.pid in spared.child.survivors()


def test_killing_twice_is_no_error(start: services.Starter) -> None:
    started = start(services.SLEEPS)
    started.child.kill()
    assert started.ended.wait(services.DEADLINE)
    started.child.kill()


def test_a_tree_of_many_processes_is_listed_whole(start: services.Starter) -> None:
    many = (
        "import os, subprocess, sys, time\n"
        "sleep = [sys.executable, '-S', '-c', 'import time; time.sleep(600)']\n"
        "print(*(subprocess.Popen(sleep).pid for _ in range(20)), flush=True)\n"
        "time.sleep(600)\n"
    )
    started = start(many)
    assert set(map(int, started.line().split())) < set(started.child.survivors())


def test_the_runtime_is_in_no_job_of_ours_and_every_service_is(start: services.Starter) -> None:
    started = start(services.SLEEPS)
    runtime_job = jobs.runtime_job()
    assert started.child.pid in runtime_job.pids()
    assert os.getpid() not in runtime_job.pids()


def test_the_end_of_a_process_that_is_gone_already_is_told(start: services.Starter) -> None:
    started = start("pass")
    assert started.ended.wait(services.DEADLINE)
    pid = started.child.pid
    started.close()
    told = threading.Event()
    exit_event.watch_process(services.LOOP, pid, told.set)
    assert told.wait(services.DEADLINE)


def test_a_process_that_was_started_otherwise_can_be_taken_over(start: services.Starter) -> None:
    popen = subprocess.Popen([sys.executable, "-c", services.PARENT], stdout=subprocess.PIPE)
    child = child_windows.own(popen, "taken")
    assert popen.stdout
    leader, grandchild = map(int, popen.stdout.readline().split())
    assert leader in child.survivors()
    child.kill()
    popen.wait()
    popen.stdout.close()
    services.wait_until(lambda: not services.is_alive(leader), "the end of the leader")
    child.close()
    services.wait_until(lambda: not services.is_alive(grandchild), "the end of what came later")


@pytest.mark.parametrize(
    ("place", "call", "ask"),
    [
        (api, "runs", child_windows.Child.poll),
        (jobs, "_pids", child_windows.Child.survivors),
    ],
)
def test_a_child_that_is_closed_while_another_thread_asks_answers_it(
    place: ModuleType,
    call: str,
    ask: Callable[[child_windows.Child], object],
    start: services.Starter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    child = start(services.SLEEPS).child
    closing, real = threading.Thread(target=child.close), getattr(place, call)

    def closed_meanwhile(handle: int) -> object:
        monkeypatch.setattr(place, call, real)
        closing.start()
        closing.join(0.5)  # as long as this thread asks, the other one waits
        return real(handle)

    monkeypatch.setattr(place, call, closed_meanwhile)
    child.kill()
    ask(child)
    closing.join(services.DEADLINE)
    assert not closing.is_alive()
    assert child.survivors() == []
