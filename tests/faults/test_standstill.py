"""The runtime, or a service, stands still for a time, as after a suspend of the machine."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import psutil
import pytest

from bundlevisor.testing.processes import suspend
from tests.bundle_maker import bundle, running, wait_until
from tests.faults.tally import Tally

STILL_S = 3.0


def test_a_runtime_that_stood_still_does_not_restart_what_is_well(
    tmp_path: Path, tally: Tally
) -> None:
    """Probes every 100 ms, of which 30 were due meanwhile, and backoff go on as if nothing was."""
    made = bundle(tmp_path)
    for service_id in ("db", "api", "web"):
        made.service(service_id)
    with running(made.write()) as run:
        run.until_ready()
        run.kill(signal.SIGSTOP)
        threading.Event().wait(STILL_S)  # the fault itself
        run.kill(signal.SIGCONT)
        seen = len(run.telemetry())
        assert run.until_ready()["ready"]
        run.post("/services/web/restart?wait=60")
        wait_until(lambda: run.service("web")["ready"], what="a restart on demand")
        started = {id_: len(run.events(id_, "started")) for id_ in ("db", "api", "web")}
        assert started == {"db": 1, "api": 1, "web": 2}
        run.kill(signal.SIGTERM)
        assert run.wait_gone() == 0  # what is written beside the work stands there then
        storm = {"backoff", "unhealthy", "gave_up", "service_killed", "service_not_ready"}
        assert not storm & {event["event"] for event in run.telemetry()[seen:]}
        tally.note("runtime SIGSTOP for 3 s, SIGCONT: nothing is restarted")


@pytest.mark.parametrize("to", ["leader", "tree"])
def test_a_service_that_stands_still_hears_that_it_is_to_stop(
    tmp_path: Path, tally: Tally, to: str
) -> None:
    made = bundle(tmp_path).service("db", stop={"to": to, "timeout_ms": 600_000})
    with running(made.write()) as run:
        run.until_ready()
        suspend(psutil.Process(run.service("db")["pid"]))
        assert run.post("/services/db/stop?wait=60").json()["done"]
        assert not run.events("db", "service_killed")
        tally.note(f"service SIGSTOP, stopped ({to}): ends in order")
