"""The next start while the old instance is still stopping: the shell has called relaunch()."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bundlevisor.testing.ports import free_block
from bundlevisor.testing.processes import lives
from tests.bundle_maker import Bundle, bundle, running, starting, wait_until
from tests.faults.scene import guardian_of
from tests.installed import COMMAND

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends SIGTERM")


def slow_to_stop(folder: Path, port: int, **how: object) -> Bundle:
    made = bundle(folder).service(
        "db", "stops_slowly", options={"stop_ms": 0, **how}, stop={"timeout_ms": 60_000}
    )
    ipc = {**made.document["ipc"], "port": port}
    return made.set(ipc=ipc).write()


def test_it_waits_for_the_one_that_is_stopping_and_has_its_port(tmp_path: Path) -> None:
    port, over = free_block(1), tmp_path / "over"
    old = slow_to_stop(tmp_path / "old", port, stop_until=over)
    new = slow_to_stop(tmp_path / "new", port)
    with running(old) as first:
        first.until_ready()
        first.post("/shutdown")
        with starting(new, app_data=old.app_data) as second:
            waited = f"waiting for the instance that is stopping (pid {first.pid}) to end"
            second.until_said(waited)
            over.touch()
            assert first.wait_gone() == 0
            second.await_listening()
            second.until_ready()
            assert second.port == port
            second.until_said("ready after ")
            assert second.stderr.count(waited) == 1
            assert old.events("db", "exit")[-1]["t"] < new.events("db", "started")[0]["t"]


def test_who_waits_for_the_new_one_takes_nothing_from_the_old(tmp_path: Path) -> None:
    over = tmp_path / "over"
    old = slow_to_stop(tmp_path / "old", 0, stop_until=over)
    new = slow_to_stop(tmp_path / "new", 0)
    ready = (*COMMAND, "ready", "--wait", "600", "--app-data", str(old.app_data))
    with running(old) as first:
        first.until_ready()
        first.until_on_record()
        first.post("/shutdown")
        with starting(new, app_data=old.app_data) as second:
            second.until_said("waiting for the instance that is stopping")
            pipe = subprocess.PIPE
            with subprocess.Popen(ready, stdout=pipe, stderr=pipe, text=True) as waiting:
                assert waiting.stderr is not None
                assert "waiting for a runtime on" in waiting.stderr.readline()
                over.touch()
                assert waiting.communicate(timeout=60)[0] == "ready: 1 service\n"
                assert waiting.returncode == 0
            second.await_listening()


def test_one_that_does_not_stop_is_refused(tmp_path: Path) -> None:
    old = slow_to_stop(tmp_path / "old", 0)
    new = slow_to_stop(tmp_path / "new", 0)
    with running(old) as first:
        first.until_ready()
        with starting(new, app_data=old.app_data) as second:
            assert second.wait_gone() == 3
            assert f"another instance (pid {first.pid}, port {first.port}) runs on" in second.stderr


def test_a_waiting_one_can_be_ended(tmp_path: Path) -> None:
    over = tmp_path / "over"
    old = slow_to_stop(tmp_path / "old", 0, stop_until=over)
    new = slow_to_stop(tmp_path / "new", 0)
    with running(old) as first:
        first.until_ready()
        first.post("/shutdown")
        with starting(new, app_data=old.app_data) as second:
            wait_until(lambda: "waiting for the instance" in second.stderr, what="its words")
            second.kill(signal.SIGTERM)
            assert second.wait_gone() == 0
        over.touch()
        assert first.wait_gone() == 0


def test_a_taken_control_port_is_told(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with running(slow_to_stop(tmp_path, port)) as run:
            run.until_ready()
            told = run.await_told("ipc_port_reassigned")
            assert told == [{"previous": port, "port": run.port}]
            words = f"port {port} of the control API is taken or reserved by the system"
            run.until_said("ready after ")
            assert run.stderr.count(words) == 1


def test_one_whose_parent_ends_while_it_waits_for_a_guardian_is_in_nobodys_way(
    tmp_path: Path,
) -> None:
    """The user has killed an application that did not come up, and starts it once more."""
    over = tmp_path / "over"
    old = slow_to_stop(tmp_path / "old", 0, stop_until=over)
    stdin, parents = os.pipe()
    with running(old) as first:
        first.until_ready()
        first.until_on_record()
        guardian = guardian_of(first)
        first.kill()
        with starting(old, app_data=old.app_data, stdin=stdin) as second:
            os.close(stdin)
            second.until_said("waiting for the guardian of an earlier instance")
            os.close(parents)
            assert second.wait_gone() == 0
            assert lives(guardian), "it has ended after that one only"
        over.touch()


def test_one_whose_parent_ends_while_it_waits_is_no_longer_in_the_queue(tmp_path: Path) -> None:
    over = tmp_path / "over"
    old = slow_to_stop(tmp_path / "old", 0, stop_until=over)
    stdin, parents = os.pipe()
    with running(old) as first:
        first.until_ready()
        first.post("/shutdown")
        with starting(old, app_data=old.app_data, stdin=stdin) as second:
            os.close(stdin)
            second.until_said("waiting for the instance that is stopping")
            os.close(parents)
            assert second.wait_gone() == 0
            assert first.process.poll() is None, "it has ended after that one only"
            over.touch()
            assert first.wait_gone() == 0
