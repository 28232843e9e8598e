"""A disk that hangs: what is written there waits, services and answers do not."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bundlevisor.testing.processes import suspend
from tests import absent
from tests.bundle_maker import bundle, running, wait_until

TOOLS = ("mkfs.ext4", "mount", "umount", "fsfreeze")
MIB = 1024 * 1024

if sys.platform != "linux" or os.geteuid() != 0 or not all(map(shutil.which, TOOLS)):
    absent.skip("Linux, root, and tools to mount and freeze a file system", module=True)


def run(*words: str | Path) -> bool:
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    image, mounted = tmp_path / "image", tmp_path / "disk"
    mounted.mkdir()
    with image.open("wb") as file:
        file.truncate(32 * MIB)
    if not (run("mkfs.ext4", "-q", image) and run("mount", "-o", "loop", image, mounted)):
        absent.skip("a loop device to be had")
    try:
        yield mounted
    finally:
        run("fsfreeze", "-u", mounted)
        run("umount", "-l", mounted)


def test_services_are_watched_answers_are_given_and_all_is_stopped(
    disk: Path, tmp_path: Path
) -> None:
    made = bundle(tmp_path).service("db", restart={"policy": "always", "backoff_ms": 1}).write()
    with running(made, app_data=disk / "app-data") as runtime:  # its stderr is there too
        runtime.until_ready()
        assert run("fsfreeze", "-f", disk)
        try:
            died = runtime.record("db")[-1]["pid"]
            psutil.Process(died).kill()
            wait_until(lambda: runtime.record("db")[-1]["pid"] != died, what="the next run")
            runtime.until_ready()
            for path in ("/status", "/metrics", "/telemetry", "/events?wait=0&limit=1"):
                headers = {"Accept": "application/json"}
                assert runtime.get(path, headers=headers, timeout=20).status == 200, path
            runtime.kill(signal.SIGTERM)
            wait_until(lambda: runtime.record("db")[-1]["event"] == "exit", what="its stop")
        finally:
            run("fsfreeze", "-u", disk)
        assert runtime.wait_gone() == 0
        assert runtime.telemetry()[-1]["event"] == "runtime_shutdown"


def test_the_guardian_stops_everything(disk: Path, tmp_path: Path) -> None:
    made = bundle(tmp_path).service("db").service("talks", "talks", ports=()).write()
    with running(made, app_data=disk / "app-data") as runtime:
        runtime.until_ready()
        children = psutil.Process(runtime.pid).children(recursive=True)
        guardians = [child for child in children if "guardian" in child.name()]
        assert guardians
        for guardian in guardians:
            suspend(guardian)
        runtime.kill()
        runtime.wait_gone()
        assert run("fsfreeze", "-f", disk)
        try:
            for guardian in guardians:
                guardian.resume()
            for service in ("db", "talks"):
                wait_until(
                    lambda name=service: runtime.record(name)[-1]["event"] == "exit",  # type: ignore[misc]
                    what=f"the stop of {service}",
                )
        finally:
            run("fsfreeze", "-u", disk)
        wait_until(lambda: not runtime.leftovers(), what="the guardians' end")
