"""A runtime in little, its guardian and its services, and what is left of them.

The kit starts whole runtimes; what a guardian is told here, and when, no whole one tells it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any, Self

import pytest

from bundlevisor.actors.process import table
from bundlevisor.actors.process.table import control_group
from tests.records import events, read_records
from tests.waiting import WITHIN, wait_until

if sys.platform == "win32":
    pytest.skip("it is killed by signals; tests/windows has its own", allow_module_level=True)

ROOT = Path(__file__).parent.parent.parent
SCRIPT = Path(__file__).parent / "mini_runtime.py"

Service = dict[str, Any]


class SmallRuntime:
    """Started by entering it; on the way out everything that carries its mark is killed."""

    def __init__(
        self,
        folder: Path,
        *services: Service,
        **plan: object,
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.instance = f"test{os.urandom(4).hex()}"
        plan_path = folder / "plan.json"
        plan_path.write_text(json.dumps({"folder": str(folder), "services": services, **plan}))
        self.process = subprocess.Popen(
            [sys.executable, str(SCRIPT), self.instance, str(plan_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        self.guardian = 0
        self.guardian_born: float | None = None
        self.services: dict[str, int] = {}

    def __enter__(self) -> Self:
        first = self.answer()
        self.guardian = first["guardian"]
        self.guardian_born = table.created(self.guardian)
        self.services = first["services"]
        return self

    def __exit__(self, *_: object) -> None:
        group = control_group.group_of(self.process.pid)
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
        wait_until(self.guardian_gone, 40)
        for found in table.census(f"{self.instance}-"):
            table.send(found.pid, found.created, signal.SIGKILL)
        control_group.remove(group)

    def tell(self, command: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{command}\n".encode())
        self.process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """Return the next line that the runtime says."""
        assert self.process.stdout is not None
        line: dict[str, Any] = json.loads(self.process.stdout.readline())
        return line

    def ask(self, command: str) -> dict[str, Any]:
        self.tell(command)
        return self.answer()

    def replaced(self) -> dict[str, Any]:
        """Take over the new guardian from what the runtime says about it, and return that.

        One that is killed before it has answered, on a busy machine, is told to have failed first.
        """
        line = self.answer()
        while line["event"] == "guardian_failed":
            line = self.answer()
        self.guardian = line["pid"]
        self.guardian_born = table.created(self.guardian)
        return line

    def kill(self, number: int = signal.SIGKILL) -> None:
        self.process.send_signal(number)
        self.process.wait()

    def started(self, name: str, role: str = "leader") -> list[dict[str, Any]]:
        """Return the starts that a service recorded."""
        seen = events(self.record(name), "started")
        return [event for event in seen if event["role"] == role]

    def wait_started(self, *roles: tuple[str, str]) -> None:
        for name, role in roles or [(name, "leader") for name in self.services]:
            wait_until(partial(self.started, name, role), what=f"{role} of {name}")

    def record(self, name: str) -> list[dict[str, Any]]:
        return read_records(self.folder / f"{name}.jsonl")

    def signals(self, name: str) -> list[dict[str, Any]]:
        return events(self.record(name), "signal")

    def leftovers(self) -> list[int]:
        """Return every process that ever recorded a start and is alive, and those marked."""
        born = [event["pid"] for name in self.services for event in self.started_all(name)]
        living = [pid for pid in born if table.alive(pid, table.created(pid) or 0.0)]
        return living + [found.pid for found in table.census(f"{self.instance}-")]

    def started_all(self, name: str) -> list[dict[str, Any]]:
        return events(self.record(name), "started")

    def guardian_gone(self) -> bool:
        born = self.guardian_born
        return born is None or not table.alive(self.guardian, born)

    def wait_clean(self, deadline: float = WITHIN) -> None:
        wait_until(self.guardian_gone, deadline, "the end of the guardian")
        assert self.leftovers() == []
        assert [line for line in self.telemetry() if "error" in line.get("details", {})] == []

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(encoding="utf-8")

    def telemetry(self) -> list[dict[str, Any]]:
        return read_records(self.folder / "telemetry.jsonl")


def service(name: str, program: str = "well_behaved", **fields: object) -> Service:
    """Return one service of a plan; see mini_runtime_body."""
    return {"id": name, "program": program, **fields}
