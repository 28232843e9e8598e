"""What the runtime in little does once its guardian is there."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from bundlevisor.actors.guardian.guarded import GuardedProcess
from bundlevisor.actors.guardian.link import Guardian
from bundlevisor.actors.loop.reactor import Loop
from bundlevisor.actors.process import table

WITHIN_S = 30.0
RUN = str(Path(__file__).parent.parent / "programs" / "run.py")


def live(instance: str, plan_path: str, guardian: Guardian) -> None:
    """Run the plan until stdin says how to end."""
    plan: dict[str, Any] = json.loads(Path(plan_path).read_text(encoding="utf-8"))
    Runtime(instance, Path(plan["folder"]), guardian, plan).live()


class Runtime:
    def __init__(
        self, instance: str, folder: Path, guardian: Guardian, plan: dict[str, Any]
    ) -> None:
        self.instance = instance
        self.folder = folder
        self.guardian = guardian
        self.plan = plan
        self.started: dict[str, subprocess.Popen[bytes]] = {}
        self.marks: dict[str, str] = {}
        self.pipes: dict[int, tuple[str, int]] = {}

    def live(self) -> None:
        self.guardian.telemetry(str(self.folder / "telemetry.jsonl"))
        for name in self.plan.get("files", ()):
            (self.folder / name).write_text(f"{name} of {self.instance}", encoding="utf-8")
            self.guardian.own(str(self.folder / name))
        if self.plan.get("loop"):
            loop = Loop("events", lambda what, error: say(error=f"{what}: {error}"))
            loop.start()
            self.guardian.attach(loop, lambda event, details: say(event=event, **details))
        for number, service in enumerate(self.plan["services"]):
            self.start(number, service)
        if self.plan.get("reader", True):
            threading.Thread(target=self.read_logs, daemon=True).start()
        say(
            pid=os.getpid(),
            guardian=self.guardian.pid,
            services={name: process.pid for name, process in self.started.items()},
        )
        for line in sys.stdin:
            command, *arguments = line.split()
            getattr(self, f"do_{command}")(*arguments)

    def start(self, number: int, service: dict[str, Any]) -> None:
        name = service["id"]
        mark = self.marks[name] = f"{self.instance}-{number}"
        read, write = os.pipe2(os.O_CLOEXEC) if sys.platform == "linux" else os.pipe()
        os.set_blocking(read, False)
        log = str(self.folder / f"{name}.log")
        if service.get("announce", "all") != "nothing":
            guarded = GuardedProcess(
                name,
                mark,
                signal=service.get("signal", 15),
                grace_s=service.get("grace_s", 5.0),
                depends_on=tuple(service.get("depends_on", ())),
                log_path=log,
                http=tuple(service["http"]) if "http" in service else None,
                secrets=tuple((k, v.encode()) for k, v in service.get("secrets", {}).items()),
                leader_only=service.get("leader_only", False),
            )
            self.guardian.expect(guarded, -1 if service.get("announce") == "unpiped" else read)
        command = [sys.executable, "-IS", RUN, service["program"], *self.options(name, service)]
        process = self.started[name] = subprocess.Popen(
            [*service.get("before", ()), *command],
            stdin=subprocess.DEVNULL,
            stdout=write,
            stderr=write,
            env=os.environ | {"SERVICE_INSTANCE_ID": mark, "MARK": mark} | service.get("env", {}),
            start_new_session=True,
        )
        os.close(write)
        if service.get("announce", "all") == "all":
            born = table.created(process.pid) or 0.0
            self.guardian.spawned(mark, process.pid, born, process.pid)
        file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.pipes[read] = (mark, file)

    def options(self, name: str, service: dict[str, Any]) -> list[str]:
        options = {"record": str(self.folder / f"{name}.jsonl"), **service.get("options", {})}
        return [word for key, value in options.items() for word in (f"--{key}", str(value))]

    def read_logs(self) -> None:
        inflight = self.guardian.inflight
        poll = select.poll()
        for fd in self.pipes:
            poll.register(fd, select.POLLIN)
        while self.pipes:
            for fd, _ in poll.poll():
                mark, file = self.pipes[fd]
                data = inflight.read(mark, fd)
                if data:
                    inflight.write(file, data)
                else:
                    poll.unregister(fd)
                    del self.pipes[fd]
                inflight.done()

    def do_dismiss(self) -> None:
        say(dismissed=self.guardian.dismiss(WITHIN_S))

    def do_return(self) -> None:
        sys.exit(7)

    def do_raise(self) -> None:
        raise RuntimeError("as asked")

    def do_forget(self, name: str) -> None:
        self.guardian.forget(self.marks[name])
        say(forgotten=name)

    def do_tell(self, number: str) -> None:
        longest = 0.0
        for i in range(int(number)):
            began = time.monotonic()
            self.guardian.own(str(self.folder / f"token-{i}"), containing=b"x" * 100)
            longest = max(longest, time.monotonic() - began)
        (self.folder / f"token-{int(number) - 1}").write_bytes(b"x" * 100)
        say(longest=longest)

    def do_delivered(self) -> None:
        """Answer when the kernel has all that the guardians were told; who asks has a deadline."""
        roster, pause = self.guardian._roster, threading.Event()
        delivered = False
        while not delivered:
            with roster._lock:
                delivered = all(guardian.sender.pump() for guardian in roster._guardians)
            pause.wait(0.01)
        say(delivered=True)

    def do_idle(self) -> None:
        threading.Event().wait(1)
        say(idle=True)

    def do_fork(self) -> None:
        """Fork as a helper of the runtime would; it lives on longer than any test waits."""
        if os.fork() == 0:
            for fd in (0, 1, 2):
                os.close(fd)
            threading.Event().wait(100)
            os._exit(0)
        say(forked=True)


def say(**line: object) -> None:
    os.write(1, json.dumps(line).encode() + b"\n")
