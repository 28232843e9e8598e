"""An updater removes the installed program, interpreter and libraries included, while it runs."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from bundlevisor.testing.processes import suspend
from tests.bundle_maker import Bundle, Run, bundle, starting, wait_until
from tests.hidden import MAY_LOOK, open_files
from tests.installed import PACKAGES, install, linked
from tests.live_runtime import ROOT

BY_REQUEST = {"timeout_ms": 30_000, "http": {"path": "/shutdown"}}
OWN = 8
"""Most that a guardian has open besides code and a pipe for each process: standard ones, channel,
runtime, the pipe to its heir, how far its work is, what is in flight. Code adds two or more."""
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for the guardian in /proc")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where one installation follows the other."""
    return tmp_path_factory.mktemp("place")


@pytest.fixture
def installation(place: Path) -> Iterator[Path]:
    """An interpreter, its library, our packages and what they need, in one folder."""
    yield install(place / "installation", linked(place / "farm"))
    shutil.rmtree(place / "installation", ignore_errors=True)


@pytest.fixture
def made(tmp_path: Path) -> Bundle:
    made = bundle(tmp_path).service("db").service("api", deps=["db"])
    return made.service("slow", options={"delay_ms": 1}).write()


def guardian_of(run: Run) -> psutil.Process:
    run.until_on_record()
    record = json.loads((run.app_data / "runtime" / "instance.json").read_bytes())
    return psutil.Process(record["guardian_pid"])


def settle(run: Run) -> None:
    """Wait until the start is over for both processes."""
    run.await_files()
    run.until_ready()
    wait_until(lambda: any(e["event"] == "ready" for e in run.telemetry()), what="'ready'")
    await_held_code(run)


def await_held_code(run: Run) -> None:
    guardian = guardian_of(run)
    wait_until(lambda: holds_code(run, guardian), what="the guardian's holding its code")


def holds_code(run: Run, guardian: psutil.Process) -> bool:
    """Whether it has opened all of it, machine code last, and waits for something else."""
    if MAY_LOOK:
        return holds(guardian.pid, "msgspec")
    services = run.get("/readyz").json()["details"].values()
    more = open_files(guardian.pid) - OWN - sum("pid" in one for one in services)
    return more > 0 and guardian.status() == psutil.STATUS_SLEEPING


def holds(pid: int, name: str) -> bool:
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            if name in os.readlink(fd):
                return True
    return False


def remove(installation: Path) -> None:
    """All of it, while the first start may be writing its file of bytecode in it."""

    def gone() -> bool:
        shutil.rmtree(installation, ignore_errors=True)
        return not installation.exists()

    wait_until(gone, what="the end of the installation")


def ask_everything(run: Run) -> None:
    paths: dict[str, Any] = run.get("/openapi.json").json()["paths"]
    for path, methods in paths.items():
        if "get" in methods and path not in ("/logs/follow", "/shutdown"):
            query = "?serviceId=db&lines=1" if path == "/logs/tail" else ""
            query = "?limit=1&wait=0" if path == "/events" else query
            headers = {"Accept": "application/json"}
            assert run.get(path + query, headers=headers).status == 200, path
    for query in ("/nope", "/events?after=x", "/logs/tail?serviceId=nope"):
        assert run.get(query).status in (400, 404)
    assert run.get("/status", token="wrong").status in (401, 403)
    assert run.post("/secrets", {"secrets": {"none": "x"}}).status == 400
    died = run.record("db")[-1]["pid"]
    psutil.Process(died).kill()
    wait_until(lambda: run.record("db")[-1]["pid"] != died, what="the service's next run")
    for command in ("restart", "stop", "start"):
        assert run.post(f"/services/slow/{command}?wait=60").status in (200, 202)
    assert b"<svg" in run.get("/timeline", headers={"Accept": "image/svg+xml"}).body
    assert b"bundlevisor_" in run.get("/metrics").body


def end_in_order(run: Run, how: str, *services: str) -> None:
    """End the run by a signal or a request; each service ends by itself."""
    if how == "signal":
        run.kill(signal.SIGTERM)
    else:
        answer = run.post("/shutdown")
        assert answer.status in (200, 202), (answer, run.stderr)
    assert run.wait_gone() == 0
    assert "Error" not in run.stderr
    for name in services:
        assert run.record(name)[-1]["event"] == "exit", run.record(name)


@pytest.mark.parametrize("how", ["signal", "request"])
def test_it_answers_everything_and_stops_in_order(
    made: Bundle, installation: Path, how: str
) -> None:
    with starting(made, command=[str(installation / "bin" / "bundlevisor")]) as run:
        settle(run)
        remove(installation)
        ask_everything(run)
        end_in_order(run, how, "db", "api", "slow")
        wait_until(lambda: not run.leftovers(), what="no process left")


@pytest.mark.parametrize("how", ["signal", "request"])
def test_it_stops_in_order_when_it_is_removed_the_moment_all_is_ready(
    tmp_path: Path, installation: Path, how: str
) -> None:
    made = bundle(tmp_path).service("db")
    made.service("asked", "http_stop", deps=["db"], stop=BY_REQUEST).write()
    with starting(made, command=[str(installation / "bin" / "bundlevisor")]) as run:
        run.await_files()
        assert run.get("/readyz?wait=60").status == 200
        remove(installation)
        end_in_order(run, how, "db", "asked")
        assert not run.events("asked", "signal")


def test_the_guardian_does_its_work(made: Bundle, installation: Path) -> None:
    with starting(made, command=[str(installation / "bin" / "bundlevisor")]) as run:
        settle(run)
        remove(installation)
        run.kill()
        wait_until(lambda: not run.leftovers(), what="the guardian's end")
        died = run.telemetry()[-1]
        assert died["event"] == "runtime_died"
        assert died["details"]["left"] == 0
        assert "error" not in died["details"]
        for name in ("db", "api", "slow"):
            assert run.record(name)[-1]["event"] == "exit", run.record(name)


def replace(installation: Path) -> None:
    """Put another version in its place: other files under the same names."""
    packages = next(installation.rglob("site-packages"))
    for name in PACKAGES:
        if (packages / name).exists():
            (packages / name).unlink()
            shutil.copytree(ROOT / name, packages / name, copy_function=another_version)


def another_version(_source: str, target: str) -> None:
    Path(target).write_text("raise SystemError('of another version')\n", encoding="utf-8")


@pytest.mark.parametrize("update", [remove, replace])
def test_a_page_that_cannot_be_served_again_says_why(
    tmp_path: Path, installation: Path, update: Callable[[Path], None]
) -> None:
    made = bundle(tmp_path).service("db").file("dist/index.html", "<!doctype html>")
    made.service(
        "ui",
        type="ui-bundle",
        binaries={"universal": {"path": "dist"}},
        restart={"policy": "always", "backoff_ms": 1},
    ).write()
    with starting(made, command=[str(installation / "bin" / "bundlevisor")]) as run:
        settle(run)
        update(installation)
        psutil.Process(run.service("ui")["pid"]).kill()
        failed = wait_until(
            lambda: [e for e in run.telemetry() if e["event"] == "service_start_failed"],
            what="the failed start",
        )
        assert "bundlevisor was re" in failed[0]["details"]["error"]
        assert "start the application again" in failed[0]["details"]["error"]
        assert run.get("/status").status == 200
        run.kill(signal.SIGTERM)
        assert run.wait_gone() == 0


@pytest.mark.parametrize("update", [remove, replace])
def test_a_page_comes_back_in_the_process_that_serves_another(
    tmp_path: Path, installation: Path, update: Callable[[Path], None]
) -> None:
    made = bundle(tmp_path).service("db").file("dist/index.html", "<!doctype html>")
    for id_ in ("ui", "docs"):
        made.service(id_, type="ui-bundle", binaries={"universal": {"path": "dist"}})
    made.write()
    with starting(made, command=[str(installation / "bin" / "bundlevisor")]) as run:
        settle(run)
        update(installation)
        assert run.post("/services/ui/restart?wait=20").json()["state"] == "ready"
        assert run.service("ui")["pid"] == run.service("docs")["pid"]


def test_nothing_of_another_version_is_imported(made: Bundle, installation: Path) -> None:
    with starting(made, command=[str(installation / "bin" / "bundlevisor")]) as run:
        settle(run)
        replace(installation)
        ask_everything(run)
        run.kill(signal.SIGTERM)
        assert run.wait_gone() == 0
        assert "Error" not in run.stderr


SECRET = {"id": "key", "class": "user_prompt", "target": {"type": "env", "name": "KEY"}}


@pytest.mark.parametrize("fields", [{"restart": {"policy": "never"}}, {"secrets": ["key"]}])
def test_it_is_held_too_where_not_all_become_ready(
    tmp_path: Path, installation: Path, fields: dict[str, Any]
) -> None:
    made = bundle(tmp_path).service("db").set(secrets=[SECRET])
    made.service("never", "exits_at_once", options={"code": 3}, **fields).write()
    with starting(made, command=[str(installation / "bin" / "bundlevisor")]) as run:
        run.await_files()
        wait_until(lambda: run.service("db")["state"] == "ready", what="the other service")
        await_held_code(run)
        remove(installation)
        assert b"bundlevisor_" in run.get("/metrics").body
        run.kill(signal.SIGTERM)
        assert run.wait_gone() == 0
        assert "Error" not in run.stderr


def failures(run: Run) -> list[str]:
    events = [e["details"] for e in run.telemetry() if e["event"] == "guardian_failed"]
    return [details["error"] for details in events]


def test_guardians_that_cannot_be_replaced_are_told(made: Bundle, installation: Path) -> None:
    with starting(made, command=[str(installation / "bin" / "bundlevisor")]) as run:
        settle(run)
        remove(installation)
        guardians = [
            one
            for one in psutil.Process(run.pid).children(recursive=True)
            if "guardian" in one.name()
        ]
        for one in guardians:
            suspend(one)  # so that none of them forks another one
        for one in guardians:
            one.kill()
        wait_until(
            lambda: any("bundlevisor was removed" in why for why in failures(run)),
            what="the failed replacement",
        )
        run.kill(signal.SIGTERM)
        assert run.wait_gone() == 0
        wait_until(lambda: not run.leftovers(), what="no process left")
