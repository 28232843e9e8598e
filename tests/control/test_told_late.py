"""Where the system tells late that nobody listens, a command does not wait for it."""

from __future__ import annotations

import socket
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path

import pytest

from bundlevisor.control.cli import client
from tests.control.commands import Run, record
from tests.control.wire import Api


@pytest.fixture(autouse=True)
def told_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "TOLD_LATE", True)


def ended() -> int:
    """Return the pid of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_an_instance_that_died_is_not_asked_in_the_slow_way(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(HTTPConnection, "connect")
    with socket.socket() as nobodys:
        nobodys.bind(("127.0.0.1", 0))
        record(tmp_path, nobodys.getsockname()[1], ended())
        code, _, err = run("ports", "--app-data", str(tmp_path))
    assert code == 4
    assert "nobody listens" in err


def test_who_answers_is_asked_although_its_process_is_not_seen(
    run: Run, tmp_path: Path, api: Api
) -> None:
    record(tmp_path, api.port, ended())
    assert run("ready", "--app-data", str(tmp_path))[:2] == (0, "ready: 3 services\n")
