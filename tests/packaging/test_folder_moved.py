"""The shipped folder is renamed, or an updater puts another build there, while it runs."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.bundle_maker import Bundle, Run, bundle, starting, wait_until
from tests.runtime.test_installation_removed import ask_everything, guardian_of, settle


@pytest.fixture
def made(tmp_path: Path) -> Bundle:
    """One of everything that needs code, a program or a library of ours after the start."""
    made = bundle(tmp_path).service("db").service("api", deps=["db"]).service("slow")
    made.file("dist/index.html", "<!doctype html><title>a page</title>")
    again = {"policy": "always", "backoff_ms": 1}
    for id_ in ("ui", "docs"):  # in one process
        made.service(id_, type="ui-bundle", binaries={"universal": {"path": "dist"}}, restart=again)
    on_demand = {"run_mode": "on_demand"}
    made.service(
        "later",
        "logs_ready_line",
        readiness={"type": "log_match", "pattern": "^worker (is|was) ready$"},
        metadata=on_demand,
    )
    made.service("asks", secrets=["word"], metadata=on_demand)
    target = {"type": "env", "name": "WORD"}
    secret = {"id": "word", "class": "user_prompt", "format": "^[a-z]{3,9}$", "target": target}
    return made.set(secrets=[secret]).write()


def renamed(folder: Path) -> Path:
    """Give the folder another name; return where it is now."""
    return folder.rename(folder.with_name("Größe & Maß"))


def set_aside(folder: Path) -> Path:
    """Put another build in its place, and the old one elsewhere, as installers that can undo do."""
    moved = folder.rename(folder.with_name("old"))
    another_build(moved, folder)
    return moved


def replaced(folder: Path) -> Path:
    """Put another build in its place, of which nothing can be used; return where that is."""
    old = folder.rename(folder.with_name("old"))
    another_build(old, folder)
    shutil.rmtree(old)
    return folder


def another_build(old: Path, folder: Path) -> None:
    """Make the same files with other content: whatever is taken from there fails."""
    for path in old.rglob("*"):
        if path.is_file():
            other = folder / path.relative_to(old)
            other.parent.mkdir(parents=True, exist_ok=True)
            other.write_bytes(b"#!/bin/sh\necho Error: another build >&2; exit 99\n")
            other.chmod(path.stat().st_mode)


def ask_what_needs_late_libraries(run: Run) -> None:
    assert run.post("/secrets", {"secrets": {"word": "NOT ONE"}}).status == 400
    assert run.post("/secrets", {"secrets": {"word": "plain"}}).status == 200
    for service in ("later", "asks"):
        assert run.post(f"/services/{service}/restart?wait=30").status in (200, 202)
        wait_until(lambda: run.service(service)["state"] == "ready", what=service)  # noqa: B023


def page(run: Run) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{run.ports('ui')['http']}/", timeout=20) as got:
        read: bytes = got.read()
        return read


def replace_guardians(run: Run) -> None:
    first = guardian_of(run)
    first.kill()
    record = run.app_data / "runtime" / "instance.json"
    wait_until(
        lambda: json.loads(record.read_bytes())["guardian_pid"] not in (None, 0, first.pid),
        what="another guardian",
    )
    assert guardian_of(run).is_running()


def ready_page(run: Run) -> int:
    """Return the pid of the page's server, 0 while there is none."""
    details = run.service("ui")
    return int(details["pid"]) if details["state"] == "ready" else 0


def kill_page(run: Run) -> None:
    psutil.Process(run.service("ui")["pid"]).kill()


@pytest.mark.parametrize("update", [renamed, set_aside, replaced])
@pytest.mark.parametrize("how", ["signal", "request"])
def test_all_goes_on_and_nothing_is_left(
    made: Bundle, folder: Path, update: Callable[[Path], Path], how: str
) -> None:
    with starting(made, command=[str(folder / "runtime")]) as run:
        settle(run)
        update(folder)
        ask_everything(run)
        ask_what_needs_late_libraries(run)
        assert b"a page" in page(run)
        assert run.post("/services/ui/restart?wait=20").json()["state"] == "ready"
        assert b"a page" in page(run)
        assert run.service("ui")["pid"] == run.service("docs")["pid"]
        replace_guardians(run)
        ask_everything(run)
        if how == "signal":
            run.kill(signal.SIGTERM)
        else:
            assert run.post("/shutdown").status in (200, 202)
        assert run.wait_gone() == 0
        assert "Error" not in run.stderr
        wait_until(lambda: not run.leftovers(), what="the end of all")


@pytest.mark.parametrize("update", [renamed, set_aside])
def test_a_page_is_served_again_by_the_program_that_moved(
    made: Bundle, folder: Path, update: Callable[[Path], Path]
) -> None:
    with starting(made, command=[str(folder / "runtime")]) as run:
        settle(run)
        moved = update(folder)
        before = run.service("ui")["pid"]
        kill_page(run)
        wait_until(
            lambda: ready_page(run) not in (0, before),
            what="the page's next server",
        )
        assert b"a page" in page(run)
        token = str(run.app_data / "runtime" / "auth-token")
        words = ("--port", str(run.port), "--token-file", token, "status")
        asked = subprocess.run(
            [moved / "runtimectl", *words], capture_output=True, text=True, check=False
        )
        assert asked.returncode == 0, asked.stderr
        assert json.loads(asked.stdout)["pid"] == run.pid
        run.kill(signal.SIGTERM)
        assert run.wait_gone() == 0
        assert "Error" not in run.stderr


def test_a_page_of_a_folder_that_is_gone_says_why_it_cannot_be_served_again(
    made: Bundle, folder: Path
) -> None:
    with starting(made, command=[str(folder / "runtime")]) as run:
        settle(run)
        replaced(folder)
        kill_page(run)
        failed = wait_until(
            lambda: [e for e in run.telemetry() if e["event"] == "service_start_failed"],
            what="the failed start",
        )
        assert "bundlevisor was re" in failed[0]["details"]["error"]
        run.kill(signal.SIGTERM)
        assert run.wait_gone() == 0


@pytest.mark.parametrize("update", [renamed, replaced])
def test_the_guardian_does_its_work(
    made: Bundle, folder: Path, update: Callable[[Path], Path]
) -> None:
    with starting(made, command=[str(folder / "runtime")]) as run:
        settle(run)
        update(folder)
        run.kill()
        wait_until(lambda: not run.leftovers(), what="the guardian's end")
        died = run.telemetry()[-1]
        assert died["event"] == "runtime_died"
        assert died["details"]["left"] == 0
        assert "error" not in died["details"]
