"""A bundle to injure, and what has to be true of it afterwards."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from bundlevisor.testing.ports import free_block
from tests.bundle_maker import Bundle, Run, bundle, wait_until

if TYPE_CHECKING:
    import random

ASSET = b"a model"
HASTY = """#!/bin/sh
trap '' TERM
echo line 0
echo '{"event": "wrote", "t": 0, "lines": 1}' >> "$2"
trap - TERM
exec sleep 1000
"""
"""Has written before the runtime has gone on; what it records follows ``--record``."""
STEP = "import sys\nprint('migrated', file=sys.stderr)\n"


def injured(folder: Path) -> Bundle:
    """A page of services in a chain; ``talker`` says how many lines it has written."""
    made = bundle(folder).service("db").service("api", deps=["db"])
    said = {"type": "log_match", "pattern": "^line 0$"}  # so it heeds signals
    stop = {"timeout_ms": 20_000}
    made.service("talker", "talks", ports=(), deps=["db"], stop=stop, readiness=said)
    return made.write()


def slow_to_stop(folder: Path, until: Path) -> Bundle:
    """The same, and ``slow``, which stops once there is this file, and ``api`` waits for that."""
    made, patient = injured(folder), {"timeout_ms": 60_000}
    options = {"stop_until": until}
    return made.service("slow", "stops_slowly", options=options, stop=patient, deps=["api"]).write()


def with_all_state(folder: Path) -> Bundle:
    """A bundle with which the runtime writes every kind of state file that there is."""
    session = {
        "id": "session",
        "class": "per_install_generated",
        "target": {"type": "env", "name": "SESSION"},
    }
    digest = hashlib.sha256(ASSET).hexdigest()
    lowest = free_block(20)  # the last start finds the ports of the killed ones, and no others
    made = bundle(folder).set(
        secrets=[session], ports={"default_range": {"min": lowest, "max": lowest + 19}}
    )
    made.file("data/model", ASSET)
    made.script("bin/step", STEP)
    made.service(
        "db",
        secrets=["session"],
        assets=[{"path": "data/model", "sha256": digest}],
        migrations=[{"version": "1", "command": ["bin/step"]}],
    )
    made.service("api", "double_fork", deps=["db"], stop={"timeout_ms": 500})
    made.service("talker", "talks", ports=(), stop={"timeout_ms": 20_000})
    made.file("bin/hasty", HASTY).service("hasty", "bin/hasty", ports=())
    made.write()
    (made.root / "bin" / "hasty").chmod(0o755)
    return made


def guardian_of(run: Run) -> psutil.Process:
    """Return the guardian: the first child of the runtime, unless it has been replaced.

    A daemon without the environment of its service is a child of the runtime as well.
    """
    found = wait_until(lambda: _guardian(run), what="a guardian")
    assert found is not None
    return found


def _guardian(run: Run) -> psutil.Process | None:
    with contextlib.suppress(psutil.Error):
        for event in reversed(run.telemetry()):
            if event["event"] == "guardian_replaced":
                return psutil.Process(event["details"]["pid"])
        children = psutil.Process(run.pid).children()
        ours = [one for one in children if not _is_of_a_service(one)]
        return min(ours, key=psutil.Process.create_time, default=None)
    return None


def _is_of_a_service(process: psutil.Process) -> bool:
    """Whether it has a service's mark; guardians hide their environment from all but root."""
    try:
        return "SERVICE_INSTANCE_ID" in process.environ()
    except psutil.AccessDenied:
        return False


def in_reserve(guardian: psutil.Process) -> psutil.Process:
    """Return the guardian that stands behind this one, which has forked it."""
    found = wait_until(guardian.children, what="a guardian in reserve")
    assert found is not None
    return found[0]


def replaced(run: Run, dead: int) -> bool:
    """Whether a guardian took the place of the one that had this PID."""
    return any(
        event["event"] == "guardian_replaced" and event["details"]["died"] == dead
        for event in run.telemetry()
    )


def pids_of_services(run: Run) -> set[int]:
    """Return the PIDs of all that was started of the services."""
    return {
        event["pid"]
        for service in run.bundle.document["services"]
        for event in run.events(service["id"], "started")
    }


def stop_signals(run: Run) -> list[tuple[str, int]]:
    """Return who recorded which signal, oldest first."""
    seen = [
        (event["t"], service["id"], event["signal"])
        for service in run.bundle.document["services"]
        for event in run.events(service["id"], "signal")
    ]
    return [(service_id, number) for _, service_id, number in sorted(seen)]


def assert_stopped_in_order(run: Run) -> None:
    """Everybody was asked by SIGTERM, once, and who is depended on was asked last."""
    assert [number for _, number in stop_signals(run)] == [signal.SIGTERM] * 3
    assert stop_signals(run)[-1][0] == "db"
    ends = {name: run.events(name, "exit")[0]["t"] for name in ("api", "talker")}
    assert max(ends.values()) <= run.events("db", "signal")[0]["t"]


def assert_nothing_on_disk(run: Run) -> None:
    """Neither token nor port file nor the record of an instance is left."""
    wait_until(lambda: not _ours_on_disk(run), what="removal of the runtime's files")


def _ours_on_disk(run: Run) -> list[str]:
    folder = run.app_data / "runtime"
    names = ("auth-token", "ipc_port", "instance.json")
    return [name for name in names if (folder / name).exists()]


def assert_state_is_whole(app_data: Path) -> None:
    """Every state file can be read, and none was set aside or left half written."""
    files = [path for path in app_data.rglob("*") if path.is_file()]
    for path in files:
        assert ".corrupt-" not in path.name, path
        if path.suffix == ".json":
            json.loads(path.read_bytes())


def half_written(app_data: Path) -> list[Path]:
    """Return what writers that were killed left beside the files that they were to replace."""
    return [path for path in app_data.rglob(".*.new") if path.is_file()]


def leaked_ports(app_data: Path) -> list[int]:
    """Return the remembered ports that cannot be bound."""
    path = app_data / "runtime" / "ports.json"
    remembered = json.loads(path.read_bytes()) if path.exists() else {}
    services = remembered.get("services", remembered)
    ports = [port for by_name in services.values() for port in by_name.values()]
    return [port for port in ports if not _can_be_bound(port)]


def _can_be_bound(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def let_pass(dice: random.Random, most: float) -> None:
    """Let a random time go by: the moment of a fault, not a wait for anything."""
    time.sleep(dice.uniform(0, most))


def rounds(default: int) -> int:
    """Return how many times the random faults are injected: BUNDLEVISOR_FAULTS."""
    return int(os.environ.get("BUNDLEVISOR_FAULTS") or default)
