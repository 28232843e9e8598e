"""The whole runtime: a small bundle is run, asked, stopped and killed.

The environment variable BUNDLEVISOR_EXE may name a frozen build, which is tested instead then.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundlevisor.actors.process.table import windows as table
from tests.windows import started as services

if sys.platform == "win32":
    from tests.windows.running import COMMAND, Running

assert sys.platform == "win32"

PARENT = """
import subprocess, sys, time
subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=sys.stdout)
time.sleep(600)
"""
SHELL = """
const child = require("child_process").spawn(process.argv[1], process.argv.slice(2),
                                             {stdio: ["pipe", "pipe", "inherit"]})
child.stdout.pipe(process.stdout)
setTimeout(() => {}, 600000)
"""


ENTRY_POINT = """
import sys
from bundlevisor.control.__main__ import main
if __name__ == "__main__":
    sys.exit(main())
"""


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    run = Running(tmp_path)
    yield run
    run.end()


def _all_gone(pids: list[int]) -> None:
    services.wait_until(lambda: not any(map(services.is_alive, pids)), f"the end of {pids}")


def test_a_bundle_comes_up_in_order_and_stops_in_reverse(running: Running) -> None:
    pids = running.ready()
    assert running.ask("/healthz")["status"] == "ok"
    warnings = running.ask("/validate")["warnings"]
    assert [one["code"] for one in warnings] == ["notify_by_lines"]
    assert running.named("service_ready") == ["db", "api"]
    assert running.ask("/shutdown", b"") == {"status": "stopping"}
    assert running.process.wait(30) == 0
    _all_gone(pids)
    assert running.left() == []
    assert running.named("service_exit") == ["api", "db"]
    log = (running.app_data / "logs" / "db.log").read_text()
    assert log.split("\n") == ["listening db", "::progress 100", "asked to stop", ""]


def test_the_exit_of_a_service_that_nobody_can_ask_to_stop_is_told(tmp_path: Path) -> None:
    run = Running(tmp_path, deaf=True)
    try:
        run.ready()
        assert run.ask("/services/api/restart?wait=30", b"")["state"] == "ready"
        assert run.named("service_exit") == ["api"]
        run.ask("/shutdown", b"")
        assert run.process.wait(30) == 0
        assert run.named("service_exit") == ["api", "api", "db"]
    finally:
        run.end()


def test_a_runtime_whose_console_is_closed_stops_in_order(running: Running) -> None:
    pids = running.ready()
    services.close_console(running.pid)
    assert running.process.wait(30) == 0
    _all_gone(pids)
    assert running.left() == []
    assert running.named("service_exit") == ["api", "db"]


def test_a_service_whose_leader_is_killed_is_started_again_with_its_port_free(
    running: Running,
) -> None:
    running.ready()
    details = running.ask("/readyz")["details"]
    leader = details["api"]["pid"]
    assert table.send(leader, table.created(leader) or 0.0, 9)
    services.wait_until(lambda: "api" in running.named("service_exit"), "an exit")
    assert running.ready()
    again = running.ask("/readyz")["details"]["api"]
    assert again["pid"] != leader
    assert again["restarts"] == 1


def test_a_killed_runtime_leaves_no_service_no_token_and_no_port_file(running: Running) -> None:
    pids = running.ready()
    running.process.kill()
    _all_gone(pids)
    services.wait_until(lambda: not running.left(), "the removal of token and port file")
    services.wait_until(lambda: running.named("runtime_died"), "the line on the death")
    assert running.events()[-1]["details"]["left"] == 0


def test_two_pages_share_a_process_and_each_can_go_alone(tmp_path: Path) -> None:
    run = Running(tmp_path, pages=("ui", "docs"))
    try:
        pids = run.ready()
        assert pids[2] == pids[3]
        assert run.ask("/services/ui/restart?wait=30", b"")["state"] == "ready"
        assert run.ready() == pids
        log = (run.app_data / "logs" / "ui.log").read_text()
        assert log.count("ui server: serving") == 2
        run.ask("/services/docs/stop?wait=30", b"")
        assert services.is_alive(pids[2])
        run.ask("/services/ui/stop?wait=30", b"")
        _all_gone(pids[2:])
        for page in ("ui", "docs"):
            run.ask(f"/services/{page}/start?wait=30", b"")
        pids = run.ready()
        assert pids[2] == pids[3]
        run.process.kill()
        _all_gone(pids)
    finally:
        run.end()


def test_a_second_instance_is_refused(running: Running) -> None:
    manifest = running.app_data.parent / "bundle" / "bundle.json"
    words = ["--manifest", str(manifest), "--app-data", str(running.app_data)]
    second = subprocess.run(
        [*COMMAND, "run", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 3
    assert str(running.process.pid) in second.stderr


def test_a_runtime_can_be_started_again_after_it_was_killed(
    running: Running, tmp_path: Path
) -> None:
    running.ready()
    running.process.kill()
    services.wait_until(lambda: running.named("runtime_died"), "the end of the guardian's work")
    os.rename(tmp_path / "bundle", tmp_path / "moved")  # nobody keeps a file or a folder of it
    again = Running(tmp_path)
    try:
        assert len(again.ready()) == 2
    finally:
        again.end()


def test_a_runtime_whose_parent_has_died_stops_in_order(tmp_path: Path) -> None:
    running = Running(tmp_path, sys.executable, "-c", PARENT)
    try:
        pids = running.ready()
        running.process.kill()
        _all_gone([running.pid, *pids])
        assert running.left() == []
        assert running.named("service_exit") == ["api", "db"]
        assert running.named("runtime_shutdown")
        assert not running.named("runtime_died")
    finally:
        running.end()


def _launcher(folder: Path) -> str:
    """Make the .exe that pip makes of an entry point: its launcher, which Python, and a zip."""
    path = folder / "bundlevisor.exe"
    stub = Path(os.environ.get("PIP_LAUNCHER") or pytest.skip("PIP_LAUNCHER names no t64.exe"))
    program = io.BytesIO()
    with zipfile.ZipFile(program, "w") as archive:
        archive.writestr("__main__.py", ENTRY_POINT)
    named = f"#!{sys.executable}\r\n".encode()
    path.write_bytes(stub.read_bytes() + named + program.getvalue())
    return str(path)


def test_a_runtime_behind_pips_launcher_stops_when_what_started_that_has_died(
    tmp_path: Path,
) -> None:
    words = (sys.executable, "-c", PARENT)
    running = Running(tmp_path, *words, command=[_launcher(tmp_path)])
    try:
        pids = running.ready()
        running.process.kill()
        _all_gone([running.pid, *pids])
        assert running.named("service_exit") == ["api", "db"]
        assert not running.named("runtime_died")
    finally:
        running.end()


def test_a_runtime_behind_pips_launcher_is_stopped_in_order_by_the_end_of_that(
    tmp_path: Path,
) -> None:
    running = Running(tmp_path, command=[_launcher(tmp_path)])
    try:
        pids = running.ready()
        running.process.kill()
        _all_gone([running.pid, *pids])
        services.wait_until(lambda: running.named("runtime_died"), "the line on the death")
        services.wait_until(lambda: not running.left(), "the removal of token and port file")
        log = (running.app_data / "logs" / "db.log").read_text()
        assert "asked to stop" in log, "the service was not given the time to stop"
    finally:
        running.end()


def test_a_runtime_that_dies_with_its_libuv_shell_leaves_nothing(tmp_path: Path) -> None:
    node = os.environ.get("NODE_EXE") or pytest.skip("NODE_EXE names no node.exe")
    running = Running(tmp_path, node, "-e", SHELL)
    try:
        pids = running.ready()
        running.process.kill()
        _all_gone([running.pid, *pids])
        services.wait_until(lambda: running.named("runtime_died"), "the line on the death")
        services.wait_until(lambda: not running.left(), "the removal of token and port file")
        log = (running.app_data / "logs" / "db.log").read_text()
        assert "asked to stop" in log, "the service was not given the time to stop"
    finally:
        running.end()
