"""What the kit freezes stands still, and whoever waits for it gives up in time."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from bundlevisor.testing import Bundle, NotWithin, Runtime, client, service, wait_until
from bundlevisor.testing.service import Service


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """One that each test leaves as it was."""
    bundle = Bundle(tmp_path_factory.mktemp("shared")).service("db")
    listens = {"type": "port_open", "port_name": "http"}
    bundle.service("unchecked", health=None, readiness=listens)  # nobody restarts it
    with Runtime(bundle) as runtime:
        runtime.wait_ready()
        yield runtime


@pytest.mark.parametrize("what", ["runtime", "service"])
def test_what_is_frozen_stands_still_when_that_is_done(
    shared: Runtime, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """On a busy machine the signal is heard later."""
    whole: Runtime | Service = shared if what == "runtime" else shared.service("db")
    suspend = psutil.Process.suspend

    def late(process: psutil.Process) -> None:
        threading.Timer(0.3, suspend, [process]).start()

    monkeypatch.setattr(psutil.Process, "suspend", late)
    pid = whole.pid
    assert pid is not None
    whole.freeze()
    try:
        assert psutil.Process(pid).status() == psutil.STATUS_STOPPED
    finally:
        whole.thaw()


@pytest.mark.parametrize("wait", ["wait_ready", "wait_state"])
def test_a_wait_keeps_its_deadline_also_where_the_runtime_does_not_answer(
    shared: Runtime, wait: str
) -> None:
    waits = {
        "wait_ready": lambda: shared.wait_ready(within=0.5),
        "wait_state": lambda: shared.service("db").wait_state("failed", within=0.5),
    }
    shared.wait_event("service_ready", "db")
    shared.freeze()
    began = time.monotonic()
    try:
        with pytest.raises(NotWithin, match=r"-- events(.|\n)*service_ready db"):
            waits[wait]()
    finally:
        shared.thaw()
    assert time.monotonic() - began < client.TIMEOUT


@pytest.mark.parametrize(
    "ask",
    [
        lambda db: db.state,
        lambda db: db.kill(),
        lambda db: db.ports,
        lambda db: db.stop(wait=0.1),
    ],
    ids=["state", "kill", "ports", "stop"],
)
def test_who_asks_a_runtime_that_stands_still_is_told_the_story(
    shared: Runtime, monkeypatch: pytest.MonkeyPatch, ask: Callable[[Service], object]
) -> None:
    monkeypatch.setattr(service, "WITHIN", 0.5)
    shared.freeze()
    try:
        with pytest.raises(NotWithin, match=r"the runtime says wh(.|\n)*service_ready db"):
            ask(shared.service("db"))
    finally:
        shared.thaw()
    monkeypatch.undo()
    shared.service("db").start()


def test_who_tells_a_service_that_stands_still_is_told_the_story(
    shared: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "TIMEOUT", 0.5)
    still = shared.service("unchecked")
    still.freeze()
    try:
        with pytest.raises(TimeoutError) as failed:
            still.order("say", "nothing")
    finally:
        still.thaw()
    assert "unchecked does not answer\n-- events" in "".join(failed.value.__notes__)


KILLED = """
import os, signal, sys
from bundlevisor.testing import Bundle, Runtime

runtime = Runtime(Bundle(sys.argv[1]).service("db"))
runtime.start()
runtime.wait_ready()
runtime.freeze()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(os.name == "nt", reason="what is killed there ends as it likes")
def test_a_suite_that_is_killed_leaves_nothing_frozen(tmp_path: Path) -> None:
    suite = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    try:
        assert suite.returncode == -signal.SIGKILL
        wait_until(lambda: not processes_of(tmp_path), "the end of what the suite has frozen")
    finally:
        for process in processes_of(tmp_path):
            process.kill()


def processes_of(folder: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if str(folder) in " ".join(process.cmdline()):
                found.append(process)
    return found
