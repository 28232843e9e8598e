"""One of the programs, run by hand as the runtime would run it."""

from __future__ import annotations

import contextlib
import http.client
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from bundlevisor.testing.ports import free_block
from tests.bundle_maker import Bundle, bundle, wait_until
from tests.waiting import WITHIN


class Started:
    """One program, run by hand as the runtime would run it."""

    def __init__(self, made: Bundle, process: subprocess.Popen[bytes], port: int) -> None:
        self.bundle, self.process, self.port = made, process, port

    def await_event(self, event: str, count: int = 1) -> dict[str, Any]:
        found = wait_until(
            lambda: self.events(event)[count - 1 : count], what=f"record of {event!r}"
        )
        return found[0]

    def events(self, event: str) -> list[dict[str, Any]]:
        return self.bundle.events("it", event)

    def health(self, method: str = "GET", path: str = "/health", timeout: float = WITHIN) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        with contextlib.closing(connection):
            connection.request(method, path)
            response = connection.getresponse()
            response.read()
            return response.status

    def output(self) -> bytes:
        assert self.process.stdout
        return self.process.stdout.read()

    def offspring(self, role: str) -> psutil.Process:
        found = wait_until(
            lambda: [event for event in self.events("started") if event["role"] == role],
            what=f"start of the {role}",
        )
        return psutil.Process(found[0]["pid"])


@contextlib.contextmanager
def started(
    tmp_path: Path, program: str, *, env: dict[str, str] | None = None, **options: object
) -> Iterator[Started]:
    """Run a program until the block ends; then it and its recorded offspring are killed."""
    made = bundle(tmp_path).service("it", program, options=options).write()
    entry = made.document["services"][0]["binaries"]["win-x64" if os.name == "nt" else "linux-x64"]
    port = free_block(1)
    process = subprocess.Popen(
        [str(made.root / entry["path"]), *entry["args"]],
        env={**os.environ, "PORT_HTTP": str(port), **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout
    with process.stdout:
        try:
            yield Started(made, process, port)
        finally:
            for pid in {record["pid"] for record in made.record("it")} - {process.pid}:
                with contextlib.suppress(psutil.Error):
                    psutil.Process(pid).kill()
            process.kill()
            process.wait()
