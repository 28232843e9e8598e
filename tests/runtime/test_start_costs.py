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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from bundlevisor.control.boot import code_file
from tests import absent
from tests.bundle_maker import Bundle, bundle, wait_until
from tests.hidden import needs_look
from tests.records import events, read_records

STRACE = shutil.which("strace")
INSTALLED = Path(sys.executable).with_name("bundlevisor")
ANOTHER_HEAP = "mmap(NULL, 134217728, PROT_NONE"
"""What glibc takes from the system for a thread's own (arena.c: twice HEAP_MAX_SIZE)."""
CALL = re.compile(r"^\d+ +(\w+)\(")
ABOUT_FILES = (
    *("openat", "newfstatat", "read", "pread64", "lseek", "ioctl", "getdents64", "close", "mmap"),
)
FILES_OPENED, FILE_CALLS, THREADS = 150, 1500, 10
"""Until the first service is executed, from the shell script on (measured: 134, 1357, 8)."""

PATIENT = """import sys


def hear(*_):
    start = sys.modules.get("bundlevisor.control.run.bundle_start")
    if start:
        start.LAUNCHING = 3600


sys.addaudithook(hear)
"""

SELDOM = {"type": "http", "path": "/health", "port_name": "http", "interval_ms": 60_000}
COUNTER = """
import json, sys
sys.path += {path!r}
from bundlevisor.actors.core import lifecycle
from bundlevisor.actors.core.messages import GetReady
from bundlevisor.actors import board, service, supervisor
lifecycle.OBSTACLE = 3600  # a slow machine would be told what it waits for
counts = {{"supervisor": 0, "services": 0, "snapshots": 0}}
def counted(owner, name, what):
    original = getattr(owner, name)
    def wrapper(self, value, *more):
        counts[what] += type(value) is not GetReady
        if getattr(value, "ready", False) is True:
            with open({out!r}, "w") as file:
                json.dump(counts, file)
        return original(self, value, *more)
    setattr(owner, name, wrapper)
counted(supervisor.Supervisor, "on_receive", "supervisor")
counted(service.ServiceActor, "on_receive", "services")
counted(board.Board, "publish", "snapshots")
from bundlevisor.control.__main__ import main
main({argv!r})
"""


class Costs(NamedTuple):
    """Of one start: system calls by name, threads, and heaps besides the first."""

    calls: Counter[str]
    threads: int
    heaps: int


@pytest.fixture
def three(tmp_path: Path) -> Bundle:
    made = bundle(tmp_path)
    for name, needs in (("db", []), ("api", ["db"]), ("web", ["api"])):
        made.service(name, deps=needs, health=SELDOM)
    return made.write()


@pytest.fixture
def patient() -> Iterator[Path]:
    """The installed command, whose API waits for launches however long the machine takes to them.

    It lies beside the other, whose environment it finds in the same way.
    """
    as_installed = INSTALLED.read_text(encoding="utf-8")
    made = INSTALLED.with_name(f"bundlevisor-patient-{os.getpid()}")
    made.write_text(as_installed.replace("import sys\n", PATIENT, 1), encoding="utf-8")
    made.chmod(0o755)
    try:
        yield made
    finally:
        made.unlink()


@absent.unless(STRACE, "strace")
@needs_look
def test_files_and_threads_until_the_first_service(
    three: Bundle, tmp_path: Path, patient: Path
) -> None:
    trace = tmp_path / "trace"
    command = (str(patient), *words(three))
    run_once(three, *command, until=has_code_file)  # makes app-data, too
    run_once(three, str(STRACE), "-f", "-o", str(trace), *command)
    costs = until_first_service(trace.read_text(errors="replace"), str(three.root / "bin"))
    assert costs.calls["openat"] <= FILES_OPENED
    assert sum(costs.calls[name] for name in ABOUT_FILES) <= FILE_CALLS
    assert costs.threads <= THREADS
    assert costs.heaps == 0


def has_code_file() -> bool:
    """Whether there is a file of bytecode in which everything is as it is now."""
    try:
        finder = code_file.CodeFinder(code_file.path())
    except (OSError, ValueError):
        return False
    return all(map(finder.entry, finder.entries))


def run_once(made: Bundle, *command: str, until: Callable[[], bool] = lambda: True) -> None:
    """Run a bundle until all is ready; the end of its stdin then ends it in order."""
    before = times_ready(made)
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            wait_until(lambda: times_ready(made) > before, 60, "the last service to be ready")
            wait_until(until, 60, "the file of bytecode")
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait(30) == 0
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def times_ready(made: Bundle) -> int:
    """How often the last service has been ready, by the runtime's own telemetry."""
    last = made.document["services"][-1]["id"]
    told = read_records(made.app_data / "telemetry" / "events.jsonl")
    return sum(event.get("service_id") == last for event in events(told, "service_ready"))


def words(made: Bundle) -> list[str]:
    return ["run", "--manifest", str(made.path), "--app-data", str(made.app_data)]


def until_first_service(trace: str, programs: str) -> Costs:
    """Count what stands in a trace before a program of the bundle is executed."""
    before, found, _ = trace.partition(f'execve("{programs}')
    assert found, "no service was executed"
    calls = Counter(match[1] for line in before.splitlines() if (match := CALL.match(line)))
    return Costs(calls, before.count("CLONE_THREAD"), before.count(ANOTHER_HEAP))


def test_messages_and_snapshots_of_a_start(three: Bundle, tmp_path: Path) -> None:
    """Of three services until all are ready; each more is a wake-up on the way there.

    But for those by which services get ready while they wait: a slow machine sends none of them.
    """
    out = tmp_path / "counts"
    root = str(Path(__file__).parents[2])
    path = [*(p for p in sys.path if p.endswith("site-packages")), root]
    code = COUNTER.format(path=path, out=str(out), argv=words(three))
    run_once(three, sys.executable, "-I", "-S", "-c", code)
    counts = json.loads(out.read_text())
    assert counts == {"supervisor": 7, "services": 6, "snapshots": 7}
