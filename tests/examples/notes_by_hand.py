"""The programs of the notes bundle, each started by hand with the environment it would be given."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bundlevisor.testing.ports import free_block
from tests.waiting import WITHIN, wait_until

NOTES = Path(__file__).parents[2] / "examples" / "notes"
KEY = "k" * 43


class Answer(NamedTuple):
    """What a service answered."""

    status: int
    content: Any


class Service:
    """One running program of the bundle."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process, self.port, self.log_path = process, port, log

    @property
    def log(self) -> str:
        """What it has written."""
        return self.log_path.read_text(encoding="utf-8")

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Send one request."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"X-Session-Key": KEY, **(headers or {})},
        )
        try:
            with urllib.request.urlopen(request, timeout=WITHIN) as response:
                return Answer(response.status, json.loads(response.read() or b"null"))
        except urllib.error.HTTPError as refused:
            with refused:
                return Answer(refused.code, json.loads(refused.read() or b"null"))

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(WITHIN)


class NotesServices:
    """The services of one test: they share a database and stop when the test ends."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "notes.db"
        first = free_block(2)
        self.ports = {"store": first, "api": first + 1}
        self._folder = folder
        self._running: list[Service] = []

    def environment(self) -> dict[str, str]:
        """Return what the runtime would give them."""
        return {
            **os.environ,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "NOTES_DB": str(self.database),
            "STORE_URL": f"http://127.0.0.1:{self.ports['store']}",
            "PORT_HTTP": str(self.ports["store"]),
            "PORT_API": str(self.ports["api"]),
            "SESSION_KEY": KEY,
        }

    def migrate(self, root: Path = NOTES) -> subprocess.CompletedProcess[str]:
        """Run ``bin/migrate`` to its end."""
        return subprocess.run(
            [executable("migrate", root)],
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def start(self, name: str, ready: str) -> Service:
        """Start a program and wait until its log says ``ready``."""
        log = self._folder / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [executable(name)],
                env=self.environment(),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        service = Service(process, self.ports.get(name, 0), log)
        self._running.append(service)
        wait_until(lambda: ready in service.log, what=f"{name} says {ready!r}")
        return service

    def store(self) -> Service:
        """Start the store."""
        return self.start("store", "listening on")

    def api(self) -> Service:
        """Start the API."""
        return self.start("api", "listening on")

    def indexer(self) -> Service:
        """Start the indexer."""
        return self.start("indexer", "the index is up to date")

    def end(self) -> None:
        """Kill what still runs."""
        for service in self._running:
            with contextlib.suppress(OSError):
                service.process.kill()
            service.process.wait()


def executable(name: str, root: Path = NOTES) -> str:
    """Return the program as the manifest names it on this platform."""
    return str(root / "bin" / (f"{name}.cmd" if os.name == "nt" else name))


@contextlib.contextmanager
def notes_services(folder: Path) -> Iterator[NotesServices]:
    """Keep services by hand until the block ends."""
    kept = NotesServices(folder)
    try:
        yield kept
    finally:
        kept.end()
