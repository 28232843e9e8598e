"""Bundles for tests, made of the programs in ``tests/programs``.

``bundle(tmp_path).service("db").service("api", "ignores_term", deps=["db"]).write()`` is a bundle
on disk; ``running(it)`` of :mod:`tests.live_runtime`, exported here too, runs it for real.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from bundlevisor import testing
from bundlevisor.testing.ports import free_block
from tests.live_runtime import Run, bundlevisor, running, starting
from tests.records import events, read_records
from tests.waiting import wait_until

__all__ = ["Bundle", "Run", "bundle", "bundlevisor", "running", "starting", "wait_until"]

PROGRAMS = Path(__file__).parent / "programs"
PLATFORM_KEYS = tuple(
    f"{system}-{cpu}" for system in ("linux", "darwin") for cpu in ("x64", "arm64")
)
WINDOWS_KEYS = ("win-x64", "win-arm64")
PORTS = 200
"""As many as the largest bundle of a test has services, and some for those of the test before."""
FIRST_PORT = free_block(PORTS)
PORT_RANGE = {"min": FIRST_PORT, "max": FIRST_PORT + PORTS - 1}
DEFAULT: Any = object()
LONGEST_SHEBANG = 127  # execve(2), Linux before 5.1


class Bundle(testing.Bundle):
    """A bundle that is being made; nothing is on disk before :meth:`write`.

    It is the kit's, with the suite's programs as services, which record what happens to them.
    """

    def __init__(self, folder: Path, name: str = "test-bundle", version: str = "1.0.0") -> None:
        super().__init__(folder, name, version, port_range=(FIRST_PORT, FIRST_PORT + PORTS - 1))
        self.records = folder / "records"

    @property
    def path(self) -> Path:
        """Its ``bundle.json``."""
        return self.manifest

    @classmethod
    def existing(cls, manifest: Path, folder: Path) -> Bundle:
        """Take a bundle that is on disk already; its app-data goes into ``folder``."""
        made = cls(folder)
        made.root, made.manifest = manifest.parent, manifest
        made._top = json.loads(manifest.read_text(encoding="utf-8"))
        made._services = {entry["id"]: entry for entry in made._top.pop("services")}
        return made

    def service(  # type: ignore[override] # a name of a program instead of its words
        self,
        service_id: str,
        program: str = "well_behaved",
        *,
        deps: Iterable[str] = (),
        options: Mapping[str, object] | None = None,
        ports: Iterable[str] | Mapping[str, Mapping[str, Any]] = ("http",),
        health: Mapping[str, Any] | None = DEFAULT,
        readiness: Mapping[str, Any] | None = DEFAULT,
        **fields: Any,
    ) -> Self:
        """Add a service, or replace the one with this id.

        ``program`` is a name in ``tests/programs`` or the path of a :meth:`script`. ``options``
        become arguments (``delay_ms=5`` is ``--delay-ms 5``). A service with a port is checked by
        http on the first one and ready by it; one without is ready with its dependencies.
        ``fields`` go into the manifest as they are.
        """
        requests = [
            {"name": name, **(ports[name] if isinstance(ports, Mapping) else {})} for name in ports
        ]
        first = requests[0]["name"] if requests else ""
        entry: dict[str, Any] = {
            "id": service_id,
            "type": "api-binary" if requests else "worker",
            "binaries": self._binaries(service_id, program, first, options or {}),
            "dependencies": list(deps),
            "ports": {"requested": requests} if requests else None,
            "health": checked_by(first) if health is DEFAULT else health,
            "readiness": ready_by(first) if readiness is DEFAULT else readiness,
            **fields,
        }
        self._services[service_id] = {k: v for k, v in entry.items() if v is not None}
        return self

    def write(self) -> Self:
        """Write the bundle and return it; call it again after a change."""
        self.records.mkdir(parents=True, exist_ok=True)
        super().write()
        return self

    def write_script(self, path: Path, source: bytes, flags: str) -> None:
        """Write a Python program without the shell in front that the kit has: starts are many.

        It runs without site, whatever the flags.
        """
        write_executable(path, source)

    def record(self, service_id: str) -> list[dict[str, Any]]:
        """Return what the service's processes recorded, oldest first."""
        return read_records(self.records / f"{service_id}.jsonl")

    def events(self, service_id: str, event: str) -> list[dict[str, Any]]:
        """Return the records of one kind: ``started``, ``listening``, ``signal``, ``exit``, …."""
        return events(self.record(service_id), event)

    def _binaries(
        self, service_id: str, program: str, first_port: str, options: Mapping[str, object]
    ) -> dict[str, Any]:
        path = program
        if "/" not in program:
            path = f"bin/{service_id}"
            self.script(path, wrapper(program))
        arguments = ["--record", str(self.records / f"{service_id}.jsonl")]
        if first_port and first_port != "http":
            arguments += ["--port", f"${{{service_id}.{first_port}}}"]
        for name, value in options.items():
            arguments += ["--" + name.replace("_", "-"), str(value)]
        return {
            **{key: {"path": path, "args": arguments} for key in PLATFORM_KEYS},
            **{key: {"path": f"{path}.cmd", "args": arguments} for key in WINDOWS_KEYS},
        }


def bundle(folder: Path, name: str = "test-bundle", version: str = "1.0.0") -> Bundle:
    """Begin a bundle in ``folder``, usually ``tmp_path``."""
    return Bundle(folder, name, version)


def checked_by(port: str) -> dict[str, Any] | None:
    """Return the liveness check of a service with this port; none without one."""
    if not port:
        return None
    return {"type": "http", "path": "/health", "port_name": port, "interval_ms": 100}


def ready_by(port: str) -> dict[str, Any]:
    """Return when a service with this port, or without one, is ready."""
    if not port:
        return {"type": "dependencies_ready"}
    return {"type": "health_success", "port_name": port, "timeout_ms": 20_000}


def wrapper(program: str) -> str:
    """Return the source of a script that runs a program of ``tests/programs``."""
    root = str(PROGRAMS.parent.parent)
    return (
        f"import sys\nsys.path.insert(0, {root!r})\n"
        f"from tests.programs.{program} import main\nmain()\n"
    )


def write_executable(path: Path, source: bytes) -> None:
    """Write a Python script that the platform runs by its path, isolated and without site."""
    path.write_bytes(interpreter_line() + source)
    path.chmod(0o755)
    if os.name == "nt":
        command = f'@"{sys.executable}" -IS "%~dp0{path.name}" %*\r\n'
        path.with_name(path.name + ".cmd").write_text(command, encoding="utf-8")


def interpreter_line() -> bytes:
    """Return the first line of a script; through sh where a shebang cannot hold the path."""
    direct = f"#!{sys.executable} -IS\n"
    if " " in sys.executable or len(direct) > LONGEST_SHEBANG:
        return f"#!/bin/sh\n'''exec' \"{sys.executable}\" -IS \"$0\" \"$@\"\n' '''\n".encode()
    return direct.encode()
