"""What the kit freezes stands still, and whoever waits for it gives up in time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from bundlevisor.testing import Bundle, NotWithin, Runtime, client, service
from bundlevisor.testing.service import Service


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """One that each test leaves as it was."""
    with Runtime(Bundle(tmp_path_factory.mktemp("shared")).service("db")) as runtime:
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
