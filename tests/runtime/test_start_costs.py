"""What a start costs, in numbers that depend on neither the machine nor its load."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.bundle_maker import Bundle, bundle, running, wait_until

STRACE = shutil.which("strace")
INSTALLED = Path(sys.executable).with_name("bundlevisor")
CALL = re.compile(r"^\d+ +(\w+)\(")
ABOUT_FILES = ("openat", "newfstatat", "read", "lseek", "ioctl", "getdents64", "close", "mmap")
FILES_OPENED, FILE_CALLS, THREADS = 330, 3200, 10
"""Until the first service is executed, from the shell script on (measured: 301, 2890, 8)."""

COUNTER = """
import atexit, json, sys
sys.path[:0] = {path!r}
from actors import lifecycle, service, snapshot, supervisor
lifecycle.OBSTACLE = 3600  # a slow machine would be told what it waits for
counts = {{"supervisor": 0, "services": 0, "snapshots": 0}}
def counted(owner, name, what):
    original = getattr(owner, name)
    def wrapper(*arguments):
        counts[what] += 1
        return original(*arguments)
    setattr(owner, name, wrapper)
counted(supervisor.Supervisor, "on_receive", "supervisor")
counted(service.ServiceActor, "on_receive", "services")
counted(snapshot.Board, "publish", "snapshots")
from control import __main__ as command
def leave(code):
    with open({out!r}, "w") as file:
        json.dump(counts, file)
    import os
    os._exit(code)
command._leave = leave
command.main({argv!r})
"""


class Costs(NamedTuple):
    """Of one start: system calls by name, and threads."""

    calls: Counter[str]
    threads: int


@pytest.fixture
def three(tmp_path: Path) -> Bundle:
    made = bundle(tmp_path).service("db").service("api", deps=["db"]).service("web", deps=["api"])
    return made.write()


@pytest.mark.skipif(not STRACE, reason="strace is not installed")
def test_files_and_threads_until_the_first_service(three: Bundle, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    with running(three):
        pass  # compiles what is not compiled, and makes app-data
    run_once(three, str(STRACE), "-f", "-o", str(trace), str(INSTALLED), *words(three))
    costs = until_first_service(trace.read_text(errors="replace"), str(three.root / "bin"))
    assert costs.calls["openat"] <= FILES_OPENED
    assert sum(costs.calls[name] for name in ABOUT_FILES) <= FILE_CALLS
    assert costs.threads <= THREADS


def run_once(made: Bundle, *command: str) -> None:
    """Run a bundle to the last service's listen(); the end of its stdin then ends it in order."""
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            last = made.document["services"][-1]["id"]
            before = len(made.events(last, "listening"))
            wait_until(
                lambda: len(made.events(last, "listening")) > before, 60, f"'{last}' to listen"
            )
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait(30) == 0
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def words(made: Bundle) -> list[str]:
    return ["run", "--manifest", str(made.path), "--app-data", str(made.app_data)]


def until_first_service(trace: str, programs: str) -> Costs:
    """Count what stands in a trace before a program of the bundle is executed."""
    before, found, _ = trace.partition(f'execve("{programs}')
    assert found, "no service was executed"
    calls = Counter(match[1] for line in before.splitlines() if (match := CALL.match(line)))
    return Costs(calls, before.count("CLONE_THREAD"))


def test_messages_and_snapshots_of_a_start(three: Bundle, tmp_path: Path) -> None:
    """Of three services, their stop included; each more is a wake-up on the way to ready."""
    out = tmp_path / "counts"
    root = str(Path(__file__).parents[2])
    path = [root, *(p for p in sys.path if p.endswith("site-packages"))]
    code = COUNTER.format(path=path, out=str(out), argv=words(three))
    run_once(three, sys.executable, "-I", "-S", "-c", code)
    counts = json.loads(out.read_text())
    assert counts == {"supervisor": 15, "services": 12, "snapshots": 14}
