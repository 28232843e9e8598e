"""A small bundle, run by the installed command or by a frozen build (BUNDLEVISOR_EXE)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bundlevisor.actors.process.table import windows as table
from tests import installed

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
