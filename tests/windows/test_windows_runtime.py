"""The whole runtime: a small bundle is run, asked, stopped and killed.

The environment variable BUNDLEVISOR_EXE may name a frozen build, which is tested instead then.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from bundlevisor.actors.process.table import windows as table
from tests import installed
from tests.windows import started as services

assert sys.platform == "win32"

PROGRAM = """
import os, socket
listening = socket.create_server(("127.0.0.1", int(os.environ["PORT_HTTP"])))
print("listening", os.environ["SERVICE_ID"], flush=True)
assert "NOTIFY_SOCKET" not in os.environ
print("::progress 100", flush=True)
while True:
    connection, _ = listening.accept()
    with connection:
        stop = connection.recv(4096).startswith(b"POST /stop ")
        connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
    if stop:
        print("asked to stop", flush=True)
        os._exit(0)
"""
FROZEN = os.environ.get("BUNDLEVISOR_EXE")
COMMAND = [FROZEN] if FROZEN else installed.command()
BATCH = f'@"{sys.executable}" -S "%BUNDLE_ROOT%\\bin\\program.py"\r\n'


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


def _service(name: str, *needs: str) -> dict[str, Any]:
    return {
        "id": name,
        "type": "api-binary",
        "dependencies": list(needs),
        "binaries": {"win-x64": {"path": f"bin/{name}"}},
        "ports": {"requested": [{"name": "http"}]},
        "health": {"type": "http", "path": "/", "port_name": "http"},
        "readiness": {"type": "health_success"},
        "stop": {"http": {"path": "/stop", "port_name": "http"}},
    }


def _page(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "type": "ui-bundle",
        "binaries": {"win-x64": {"path": "page"}},
        "ports": {"requested": [{"name": "http"}]},
        "health": {"type": "http", "path": "/", "port_name": "http"},
        "readiness": {"type": "health_success"},
    }


def _bundle(folder: Path, *pages: str) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "page").mkdir()
    (folder / "page" / "index.html").write_text("a page")
    (folder / "bin" / "program.py").write_text(PROGRAM)
    for name in ("db", "api"):
        (folder / "bin" / f"{name}.cmd").write_bytes(BATCH.encode())
    manifest = {
        "schema_version": "v0.1",
        "target": "desktop",
        "app": {"name": "on windows", "version": "1"},
        "ipc": {"mode": "loopback-http", "host": "127.0.0.1", "port": 0, "auth_token_path": "t"},
        "telemetry": {"file": "events.jsonl"},
        "services": [
            _service("api", "db"),
            {**_service("db"), "readiness": {"type": "notify"}},  # by its line: there is no socket
            *map(_page, pages),
        ],
    }
    (folder / "bundle.json").write_text(json.dumps(manifest))
    return folder / "bundle.json"


def _deaf(manifest: Path) -> None:
    """Take the services' stop by HTTP away: under Wine nothing else asks them."""
    document = json.loads(manifest.read_text())
    for service in document["services"]:
        service.pop("stop", None)
    manifest.write_text(json.dumps(document))


class Running:
    """``bundlevisor run`` of that bundle; ``parent`` are the words that start a parent of it."""

    def __init__(
        self,
        folder: Path,
        *parent: str,
        command: Sequence[str] = COMMAND,
        pages: Sequence[str] = (),
        deaf: bool = False,
    ) -> None:
        self.app_data = folder / "app data"
        manifest = _bundle(folder / "bundle", *pages)
        if deaf:
            _deaf(manifest)
        words = ["run", "--manifest", str(manifest), "--app-data", str(self.app_data)]
        self.process = subprocess.Popen(
            [*parent, *command, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout
        listening = json.loads(self.process.stdout.readline())
        self.pid: int = listening["pid"]
        self.base = f"http://127.0.0.1:{listening['port']}"
        self.token = (self.app_data / "t").read_text()

    def ask(self, path: str, data: bytes | None = None) -> dict[str, Any]:
        request = urllib.request.Request(self.base + path, data)
        request.add_header("Authorization", f"Bearer {self.token}")
        with urllib.request.urlopen(request, timeout=40) as answer:
            said: dict[str, Any] = json.loads(answer.read())
        return said

    def ready(self) -> list[int]:
        """Wait for readiness; return the services' pids."""
        readiness = self.ask("/readyz?wait=30")
        assert readiness["ready"], readiness
        return [details["pid"] for details in readiness["details"].values()]

    def events(self) -> list[dict[str, Any]]:
        lines = (self.app_data / "events.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def named(self, event: str) -> list[str | None]:
        return [e.get("service_id") for e in self.events() if e["event"] == event]

    def left(self) -> list[str]:
        """Return what must not be there after the end."""
        return [f for f in ("t", "runtime/ipc_port") if (self.app_data / f).exists()]

    def end(self) -> None:
        self.process.kill()
        table.send(self.pid, table.created(self.pid) or 0.0, 9)
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()


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
