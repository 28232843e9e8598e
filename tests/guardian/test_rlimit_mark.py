"""The rlimit mark: what came out of a runtime is known by it, and nothing else is."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundlevisor.actors.guardian.survivors import look
from bundlevisor.actors.process import table
from bundlevisor.actors.process.sweep import sweep
from bundlevisor.actors.process.table.rlimit_mark import has_rlimit_mark, rlimit_marked, set_mark
from tests.guardian.small_runtime import SmallRuntime, service
from tests.guardian.test_sweep import OLD, record
from tests.waiting import wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the mark is a limit of Linux's")

INSTANCE = f"marked{os.urandom(4).hex()}"
WAITS = "import sys; print(flush=True); sys.stdin.read()"
ESCAPES = """
import os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execve(sys.executable, [sys.executable, "-c", sys.argv[1]], {})
    os._exit(0)
os.wait()
"""


@contextlib.contextmanager
def waiting(code: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is marked before it does anything; ends with its stdin."""
    go = "import sys; sys.stdin.readline()\n"
    with subprocess.Popen(
        [sys.executable, "-uc", go + code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin
        try:
            set_mark(process.pid, table.created(process.pid) or 0.0, INSTANCE)
            process.stdin.write(b"\n")
            process.stdin.flush()
            yield process
        finally:
            process.stdin.close()
            wait_until(lambda: not rlimit_marked(INSTANCE), what="the end of what came out of it")


def test_what_left_its_session_and_cleared_its_environment_keeps_the_mark() -> None:
    with waiting(ESCAPES, WAITS) as process:
        assert process.stdout
        process.stdout.readline()
        process.wait()
        (found,) = rlimit_marked(INSTANCE)
        assert (found.pid, found.mark) != (process.pid, "")
        assert table.mark_of(found.pid) == ""
        assert os.getsid(found.pid) != os.getsid(0)
        assert rlimit_marked(INSTANCE[:-1]) == []


def test_a_process_that_is_not_the_one_meant_is_not_marked() -> None:
    with subprocess.Popen([sys.executable, "-c", WAITS], stdin=subprocess.PIPE) as process:
        set_mark(process.pid, (table.created(process.pid) or 0.0) - 1, INSTANCE)
        assert not has_rlimit_mark(process.pid, INSTANCE)
        assert process.stdin
        process.stdin.close()


def test_the_runtime_and_its_services_are_marked_and_the_guardian_is_not(tmp_path: Path) -> None:
    with SmallRuntime(tmp_path / "h", service("api"), loop=True) as small:
        wait_until(lambda: has_rlimit_mark(small.process.pid, small.instance), what="the mark")
        assert not has_rlimit_mark(small.guardian, small.instance)
        os.kill(small.guardian, 9)
        small.replaced()
        wait_until(lambda: not has_rlimit_mark(small.guardian, small.instance), what="its removal")


def test_the_sweep_leaves_alone_what_came_out_of_the_old_instance_and_is_us(
    tmp_path: Path,
) -> None:
    """An updater without session starts the application anew: its rlimit mark is ours too."""
    source = (
        "import subprocess, sys\n"
        "sys.path.insert(0, sys.argv[2])\n"
        "child = subprocess.Popen(['/bin/sleep', '60'], start_new_session=True)\n"
        "from bundlevisor.actors.process.sweep import sweep\n"
        "print(sweep(sys.argv[1]).found, child.poll())\n"
        "child.kill()\n"
        "child.wait()\n"
    )
    record(tmp_path, instance_id=INSTANCE)
    with waiting(source, str(tmp_path), os.getcwd()) as process:
        assert process.stdout
        assert process.stdout.read().split() == [b"0", b"None"]


def test_the_sweep_ends_what_is_marked_and_nothing_else(tmp_path: Path) -> None:
    record(tmp_path, instance_id=INSTANCE)
    with (
        waiting(WAITS) as theirs,
        subprocess.Popen([sys.executable, "-c", WAITS], stdin=subprocess.PIPE) as other,
    ):
        set_mark(other.pid, table.created(other.pid) or 0.0, OLD)
        result = sweep(str(tmp_path), grace_s=5.0)
        assert result is not None
        assert (result.found, result.killed + result.stopped) == (1, 1)
        assert theirs.wait() != 0
        assert other.poll() is None
        assert other.stdin
        other.stdin.close()


def test_a_runtime_that_is_not_quite_gone_is_not_what_it_left() -> None:
    with waiting(WAITS) as process:
        runtime = (process.pid, table.created(process.pid) or 0.0)
        prefix = f"{INSTANCE}-"
        assert look(prefix, {}, {}, runtime, {}) == {}
        assert [found.pid for found in look(prefix, {}, {}, (0, 0.0), {})[prefix]] == [process.pid]


def test_what_carries_the_number_of_a_start_is_found_while_others_live(tmp_path: Path) -> None:
    """It shows nothing else, and stands beside a service that does."""
    prefix = f"{INSTANCE}-"
    with waiting(NUMBERED, str(tmp_path / "daemon"), f"{prefix}1", os.getcwd()) as process:
        assert process.stdout
        leader, daemon = map(int, process.stdout.readline().split())
        try:
            runtime = (process.pid, table.created(process.pid) or 0.0)
            serials: dict[int, str] = {}
            living = look(prefix, {}, {}, runtime, serials)
            assert {p.pid for p in living[f"{prefix}1"]} == {leader, daemon}
            os.kill(leader, 9)
            wait_until(lambda: not table.alive(leader, table.created(leader) or 0.0))
            living = look(prefix, {}, {}, runtime, serials)
            assert {p.pid for p in living[f"{prefix}1"]} == {daemon}
        finally:
            for pid in (leader, daemon):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, 9)


NUMBERED = """
import os, subprocess, sys
sys.path.insert(0, sys.argv[3])
from bundlevisor.actors.process.table.rlimit_mark import SerialOfStart
with SerialOfStart():
    leader = subprocess.Popen(["/bin/sleep", "60"], env={"SERVICE_INSTANCE_ID": sys.argv[2]})
    SerialOfStart._last -= 1
with SerialOfStart():
    daemon = subprocess.Popen(["/bin/sleep", "60"], env={}, start_new_session=True)
print(leader.pid, daemon.pid, flush=True)
sys.stdin.readline()
"""


def test_a_number_that_something_may_still_carry_is_not_given_again() -> None:
    """Health commands count up to the last one within hours; a service may run for days."""
    with waiting(COUNTED, os.getcwd()) as process:
        assert process.stdout
        assert list(map(int, process.stdout.readline().split())) == [65535, 1, 65535, 2]


COUNTED = """
import sys
sys.path.insert(0, sys.argv[1])
from bundlevisor.actors.process import tree
from bundlevisor.actors.process.table.rlimit_mark import SerialOfStart

def start(leader):
    with tree.TreeStart() as begun:
        tree.add_tree(leader, 0.0, "", begun.serial)
    return begun.serial

SerialOfStart._last = 65534
numbers = [start(1), start(2)]
tree.remove_tree(1)
SerialOfStart._last = 65534  # all others were given since
print(*numbers, start(3), start(4), flush=True)
sys.stdin.readline()
"""
