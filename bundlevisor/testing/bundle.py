"""A bundle that a test makes: services of the kit's own program, or of the test's."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

from bundlevisor.manifest.format.header import header
from bundlevisor.testing.ports import free_block
from bundlevisor.testing.words import check_list

PROGRAM = Path(__file__).with_name("program.py")
KIT = f"import sys; sys.path.insert(0, {str(PROGRAM.parent)!r}); import program; program.main()"
"""Runs the kit's program; an import has its bytecode from a file."""
STARTED = frozenset({".bat", ".cmd", ".com", ".exe"})
"""Suffixes of what Windows starts by its path; anything else is taken for a script of the kit."""
PORTS = 64
"""How many ports a bundle may use; the block is free when the bundle is made."""


class Bundle:
    """A bundle in ``folder``; nothing is on disk before :meth:`write`, which a Runtime calls.

    ``version`` is the application's; ``port_range`` are the first and the last port that it may
    use (PORTS that are free). Every method that changes it returns it. Its paths are ``root``,
    ``manifest`` and ``app_data``, where the runtime's files are.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        name: str = "under-test",
        version: str = "1.0.0",
        port_range: tuple[int, int] | None = None,
    ) -> None:
        self.folder = Path(folder)
        self.root = self.folder / "bundle"
        self.manifest = self.root / "bundle.json"
        self.app_data = self.folder / "app-data"
        first, last = port_range or free_range(self)
        self._services: dict[str, dict[str, Any]] = {}
        self._files: dict[str, bytes] = {}
        self._scripts: dict[str, str] = {}  # by path, what the interpreter is told
        self._programs: set[str] = set()
        self._top: dict[str, Any] = {
            **header(name, version),
            "ports": {"default_range": {"min": first, "max": last}},
        }

    def service(
        self,
        id_: str,
        program: Sequence[str] | None = None,
        *,
        needs: Iterable[str] = (),
        **fields: Any,
    ) -> Self:
        """Add a service, or replace the one of this id.

        Without ``program`` it is the kit's: an HTTP service with a port ``http`` that does what
        :class:`bundlevisor.testing.Service` tells it, checked and ready by ``/health``. ``program``
        is a path in the bundle with its arguments, which may hold templates. ``fields`` go into the
        manifest as they are, and before the kit's own; a None leaves one out.
        """
        check_list("needs", needs)
        check_list("program", program or ())
        entry: dict[str, Any] = {"id": id_, "dependencies": list(needs)}
        if program is None:
            path = f"bin/{id_}"
            self.script(path, KIT)
            self._scripts[path] = "-IS"  # the program needs no library
            entry |= {
                "type": "api-binary",
                "binaries": binaries(path, [f"${{{id_}.http}}"]),
                "ports": {"requested": [{"name": "http"}]},
                "health": {"type": "http", "path": "/health", "port_name": "http"},
                "readiness": {"type": "health_success", "port_name": "http"},
            }
        else:
            self._programs.add(program[0])
            entry |= {
                "type": "worker",
                "binaries": binaries(program[0], program[1:]),
            }
        entry |= fields
        self._services[id_] = {name: value for name, value in entry.items() if value is not None}
        return self

    def script(self, path: str, source: str) -> Self:
        """Add an executable Python program, run by this interpreter."""
        self._scripts[path] = "-I"
        return self.file(path, source)

    def file(self, path: str, content: str | bytes) -> Self:
        """Add any other file; what is a service's program can be executed."""
        self._files[path] = content.encode() if isinstance(content, str) else content
        return self

    def set(self, **fields: Any) -> Self:
        """Set top-level fields of the manifest; ValueError for services, which are added."""
        if "services" in fields:
            raise ValueError("services are added by service(), one by one")
        self._top |= fields
        return self

    @property
    def document(self) -> dict[str, Any]:
        """What ``bundle.json`` says."""
        return {**self._top, "services": list(self._services.values())}

    @property
    def telemetry(self) -> Path:
        """Where the events are written."""
        return self.app_data / str(self._top["telemetry"]["file"])

    def write_script(self, path: Path, source: bytes, flags: str) -> None:
        """Write a Python program that the platform runs by its path."""
        write_script(path, source, flags)

    def write(self) -> Self:
        """Write it; again after a change."""
        for path, content in self._files.items():
            target = self.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if path in self._scripts:
                self.write_script(target, content, self._scripts[path])
            else:
                target.write_bytes(content)
                if path in self._programs:
                    target.chmod(0o755)
        self.root.mkdir(parents=True, exist_ok=True)
        self.manifest.write_text(json.dumps(self.document, indent=2), encoding="utf-8")
        return self


def free_range(bundle: Bundle) -> tuple[int, int]:
    """Return the first and the last of PORTS ports that are free, and no other bundle's."""
    first = free_block(PORTS, bundle)
    return first, first + PORTS - 1


def binaries(path: str, arguments: Sequence[str]) -> dict[str, Any]:
    """Return the entry for every platform; a script of the kit is a ``.cmd`` on Windows."""
    windows = path if Path(path).suffix.lower() in STARTED else f"{path}.cmd"
    by_system = {"linux": path, "darwin": path, "win": windows}
    return {
        f"{system}-{cpu}": {"path": program, "args": list(arguments)}
        for system, program in by_system.items()
        for cpu in ("x64", "arm64")
    }


def write_script(path: Path, source: bytes, flags: str) -> None:
    """Write a program that the platform runs by its path, by way of this interpreter."""
    python = sys.executable
    if os.name == "nt":
        path.with_name(f"{path.name}.py").write_bytes(source)
        command = f'@"{python}" {flags} "%~dp0{path.name}.py" %*\r\n'
        # What cmd.exe takes a file to be written in, unless its console was told otherwise.
        path.with_name(f"{path.name}.cmd").write_bytes(command.encode("oem"))
        return
    body = path.with_name(f".{path.name}.py")
    body.write_bytes(source)
    words = f"{shlex.quote(python)} {flags} {shlex.quote(str(body))}"
    path.write_text(f'#!/bin/sh\nexec {words} "$@"\n', encoding="utf-8")
    path.chmod(0o755)
