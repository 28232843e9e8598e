"""What takes off everything by which it could be known is found in the runtime's control group."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bundlevisor.testing.processes import lives, of_pids
from tests import absent
from tests.bundle_maker import Bundle, Run, bundle, running, starting, wait_until
from tests.faults.scene import guardian_of, in_reserve
from tests.faults.test_guardian_reserve import next_after
from tests.faults.test_killed_guardian import kill_both, on_record

if sys.platform == "linux":
    from bundlevisor.actors.process.table import control_group


if sys.platform == "win32":
    pytest.skip("control groups are Linux'", allow_module_level=True)


def may_make_one() -> bool:
    if sys.platform != "linux":
        return False
    made = control_group.enclose(os.getpid(), f"probe{os.getpid()}")
    control_group.release(os.getpid(), made)
    control_group.remove(made)
    return bool(made)


pytestmark = absent.unless(may_make_one(), "the right to make a control group (cgroups(7), 2)")
SERVICE = """
import os, resource, sys, time
record = sys.argv[sys.argv.index("--told") + 1]
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    for fd in range(3):
        os.close(fd)
    resource.setrlimit(10, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    os.execve("/bin/sh", ["sh", "-c", f"echo $$ > {record}.new; mv {record}.new {record}; "
                          "exec sleep 4321"], {})
os.wait()
time.sleep(600)
"""


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Bundle]:
    """A bundle whose service leaves a daemon with no session, pipe or mark of either kind."""
    made = bundle(tmp_path).script("bin/nobody", SERVICE)
    made.service("nobody", "bin/nobody", ports=(), options={"told": tmp_path / "pid"}).write()
    yield made
    with contextlib.suppress(OSError, ValueError):
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def daemon_of(run: Run, folder: Path) -> psutil.Process:
    """Return the daemon; the runtime is in a group of its own by now."""
    wait_until((folder / "pid").exists, what="the daemon")
    wait_until(lambda: group(run), what="the group")
    return psutil.Process(int((folder / "pid").read_text()))


def group(run: Run) -> str:
    """Return the folder of the runtime's control group."""
    return control_group.group_of(run.pid, run.listening["instance_id"])


SLOW = """
import os, sys, time
from bundlevisor.actors.files.instance import Instance
from bundlevisor.actors.guardian.link import Guardian
from bundlevisor.actors.loop.reactor import Loop
from bundlevisor.actors.process.table import control_group
from bundlevisor.control.run import instance_record
instance_record.CHARGE_S = 60.0  # a new interpreter has to come first
def tell(*words): os.write(2, f"{words}\\n".encode())  # print() may be in its midst at the end

enclose = control_group.enclose
control_group.enclose = lambda *which: (FAULT, enclose(*which))[1]
guardian = Guardian.start("slow")
mine = Instance(instance_id="slow", pid=os.getpid(), created=1.0, host="", port=1, token_path="",
                manifest="", started_at=0.0)
loop = Loop("events", tell)
loop.start()
guardian.attach(loop, tell)
record = instance_record.InstanceRecord(guardian, sys.argv[1], mine, tell, lambda: False)
record.await_charge()
print(control_group.group_of(os.getpid(), "slow"))
record.close()
guardian.dismiss()
"""


@pytest.mark.parametrize("fault", ["time.sleep(0.5)", "os.kill(os.getpid(), 9)"])
def test_nothing_is_started_before_the_runtime_is_in_it(tmp_path: Path, fault: str) -> None:
    """A kernel that has much to do takes its time over a process's move; or the guardian is killed
    at it, and its successor, a new interpreter, does it."""
    program = SLOW.replace("FAULT", fault)
    words = [sys.executable, "-c", program, str(tmp_path)]
    run = subprocess.run(words, capture_output=True, text=True, check=False)
    folder = run.stdout.strip()
    assert (run.returncode, folder[-17:]) == (0, "/bundlevisor-slow"), run.stderr
    wait_until(lambda: not os.path.exists(folder), what="the end of the group")


LATE = """
import os, resource, signal, subprocess, sys
from bundlevisor.actors.guardian.link import Guardian
from bundlevisor.actors.process.table import control_group

enclose = control_group.enclose
control_group.enclose = lambda *which: enclose(*which)[:0]
guardian = Guardian.start("late")
while not (folder := control_group.group_of(os.getpid(), "late")):
    pass
free = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
daemon = subprocess.Popen(["sleep", "4321"], env={}, start_new_session=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          preexec_fn=lambda: resource.setrlimit(10, free))
print(daemon.pid, folder, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_guardian_that_comes_when_the_runtime_is_dead_knows_of_it(tmp_path: Path) -> None:
    """Another one has made the group, or the runtime died in that moment."""
    run = subprocess.run(
        [sys.executable, "-c", LATE], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    pid, folder = run.stdout.split()
    try:
        wait_until(lambda: not os.path.exists(folder), what="the end of the group")
        assert not [one for one in of_pids([int(pid)]) if lives(one)]
    finally:
        with contextlib.suppress(OSError):
            os.kill(int(pid), signal.SIGKILL)


def test_the_guardian_ends_it(made: Bundle, tmp_path: Path) -> None:
    with running(made) as run:
        daemon, folder = daemon_of(run, tmp_path), group(run)
        run.kill()
        run.wait_gone()
        wait_until(lambda: not lives(daemon), what="the end of the daemon")
        wait_until(lambda: not os.path.exists(folder), what="the end of the group")


@pytest.mark.parametrize("on_record", [True, False])
def test_the_next_start_ends_it(made: Bundle, tmp_path: Path, on_record: bool) -> None:
    """Also when all died before the group stood in the record."""
    with running(made) as run:
        daemon, folder = daemon_of(run, tmp_path), group(run)
        record = run.app_data / "runtime" / "instance.json"
        wait_until(lambda: folder in record.read_text(), what="the record of the group")
        kill_both(run, guardian_of(run))
        assert lives(daemon)
        if not on_record:
            record.write_text(record.read_text().replace(folder, ""))
        with running(made) as second:
            assert not lives(daemon)
            assert not os.path.exists(folder)
            second.kill(signal.SIGTERM)
            assert second.wait_gone() == 0


def test_an_orderly_end_leaves_neither_it_nor_the_group(made: Bundle, tmp_path: Path) -> None:
    with running(made) as run:
        daemon, folder = daemon_of(run, tmp_path), group(run)
        run.kill(signal.SIGTERM)
        assert run.wait_gone() == 0
        assert not lives(daemon)
        assert not os.path.exists(folder)


UNGUARDED = """
import os
import signal
import sys

from bundlevisor.actors.guardian.link import Guardian

dismiss = Guardian.dismiss


def dismiss_the_dead(self):
    for pid, _ in self.in_order():
        os.kill(pid, signal.SIGKILL)
    THEN


Guardian.dismiss = dismiss_the_dead

from bundlevisor.control.__main__ import main

sys.exit(main())
"""


@pytest.mark.parametrize(
    ("then", "code"),
    [("return dismiss(self)", 0), ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL)],
)
def test_an_orderly_end_whose_guardians_are_killed_leaves_no_group(
    made: Bundle, tmp_path: Path, then: str, code: int
) -> None:
    program = UNGUARDED.replace("THEN", then)
    with starting(made, command=(sys.executable, "-c", program)) as run:
        run.await_listening()
        daemon, folder = daemon_of(run, tmp_path), group(run)
        reserve = in_reserve(guardian_of(run))
        wait_until(lambda: on_record(run)["reserve_pid"] == reserve.pid, what="the record")
        run.kill(signal.SIGTERM)
        assert run.wait_gone() == code
        assert not lives(daemon)
        assert not os.path.exists(folder)


KILLED_AT_IT = """
import os
import signal
import sys

from bundlevisor.actors.process.table import control_group

control_group.remove = lambda path: os.kill(os.getpid(), signal.SIGKILL)

from bundlevisor.control.__main__ import main

sys.exit(main())
"""


def test_guardians_that_are_killed_before_they_remove_it_leave_the_record_of_it(
    made: Bundle, tmp_path: Path
) -> None:
    with starting(made, command=(sys.executable, "-c", KILLED_AT_IT)) as run:
        run.await_listening()
        daemon, folder = daemon_of(run, tmp_path), group(run)
        first = guardian_of(run)
        both = [first, in_reserve(first)]
        run.kill()
        run.wait_gone()
        wait_until(lambda: not [one for one in both if lives(one)], what="the guardians' end")
        assert not lives(daemon)
        assert os.path.exists(folder)
    with running(made) as second:
        second.until_ready()
        assert not os.path.exists(folder)


def test_guardians_are_outside_of_it(made: Bundle, tmp_path: Path) -> None:
    """Also one that the runtime has started itself: what is in the group ends with the runtime."""
    with running(made) as run:
        daemon_of(run, tmp_path)
        first = guardian_of(run)
        both = [first, in_reserve(first)]
        for process in both:
            process.suspend()
        for process in both:
            process.kill()
        dead = {process.pid for process in both}
        pid = wait_until(lambda: next_after(run, dead), what="a new guardian")
        assert pid is not None
        new = [pid, in_reserve(psutil.Process(pid)).pid]
        wait_until(lambda: not {*new} & {*control_group.members(group(run))}, what="their way out")
        run.kill(signal.SIGTERM)
        assert run.wait_gone() == 0


def test_an_empty_group_that_nobody_has_on_record_goes_with_a_later_end(tmp_path: Path) -> None:
    """All of its instance were killed in the first milliseconds; a young one may be in use soon."""
    with running(bundle(tmp_path).service("api").write()) as run:
        wait_until(lambda: group(run), what="the group")
        parent = Path(group(run)).parent
        old, young = (parent / f"{control_group.PREFIX}{os.getpid()}{age}" for age in ("a", "b"))
        try:
            old.mkdir()
            young.mkdir()
            os.utime(old, (1.0, time.time() - 2 * control_group.ABANDONED_S))
            run.kill(signal.SIGTERM)
            assert run.wait_gone() == 0
            wait_until(lambda: not old.exists(), what="the end of the old one")
            assert young.exists()
        finally:
            for folder in (old, young):
                with contextlib.suppress(OSError):
                    folder.rmdir()
