from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

if sys.platform == "win32":
    pytest.skip("tests/windows has its own", allow_module_level=True)

from bundlevisor.actors.process import table
from bundlevisor.actors.process.table import by_psutil, linux
from bundlevisor.actors.process.table.exit_watch import ExitWatch
from bundlevisor.actors.process.table.found import found_among
from tests import absent
from tests.guardian.marked import birth, marked
from tests.waiting import wait_until

M = f"m{os.urandom(4).hex()}"
"""The beginning of marks that nobody else's processes carry."""

PLATFORMS = [linux, by_psutil] if sys.platform == "linux" else [by_psutil]
each_platform = pytest.mark.parametrize("table", PLATFORMS, ids=lambda module: module.__name__)


class Table:
    """What both modules offer, for the type checker."""

    created = staticmethod(linux.created)
    alive = staticmethod(linux.alive)
    mark_of = staticmethod(linux.mark_of)
    parent_of = staticmethod(linux.parent_of)
    census = staticmethod(linux.census)
    send = staticmethod(linux.send)


@each_platform
def test_a_process_is_known_by_its_mark_and_its_session(table: Table, tmp_path: Path) -> None:
    with marked(f"{M}-1", tmp_path / "r") as process:
        born = table.created(process.pid)
        assert born is not None
        assert table.alive(process.pid, born)
        assert table.mark_of(process.pid) == f"{M}-1"
        assert table.parent_of(process.pid) == os.getpid()
        (found,) = table.census(f"{M}-")
        assert (found.pid, found.created, found.mark) == (process.pid, born, f"{M}-1")
        assert table.census("") == []
        (found,) = table.census("other-", {process.pid})
        assert (found.pid, found.session, found.mark) == (process.pid, process.pid, "")


@each_platform
def test_a_process_stays_the_same_when_the_clock_is_set(
    table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with marked(f"{M}-1", tmp_path / "r") as process:
        born = table.created(process.pid)
        assert born is not None
        system = sys.modules[psutil.Process(process.pid)._proc.__module__]  # type: ignore[attr-defined]
        booted = psutil.boot_time()
        monkeypatch.setattr(
            system, "boot_time", lambda: booted + 3600
        )  # as the kernel tells it then
        assert table.created(process.pid) == born
        assert table.alive(process.pid, born)
        assert [found.created for found in table.census(f"{M}-")] == [born]


@each_platform
def test_a_mark_is_compared_whole(table: Table, tmp_path: Path) -> None:
    with marked(
        f"{M}-12", tmp_path / "r", NOT_SERVICE_INSTANCE_ID=f"{M}-1", X=f"SERVICE_INSTANCE_ID={M}-1"
    ) as process:
        assert table.mark_of(process.pid) == f"{M}-12"


@pytest.mark.parametrize("ends", ["before it is asked for its session", "before its birth is read"])
def test_what_a_process_leaves_that_ends_once_it_is_listed_is_found(
    ends: str, tmp_path: Path
) -> None:
    with marked(f"{M}-1", tmp_path / "r") as left:
        if ends.endswith("session"):
            parent = subprocess.Popen([sys.executable, "-c", ""])
            parent.wait()
        else:
            parent = subprocess.Popen([sys.executable, "-c", ""], start_new_session=True)
            os.waitid(os.P_PID, parent.pid, os.WEXITED | os.WNOWAIT)
        lists = iter([[parent.pid], [parent.pid, left.pid]])
        births = {left.pid: 1.0}.get
        sessions = {left.pid, parent.pid}
        found = found_among(lambda: next(lists), lambda _: "", births, "", sessions)
        assert [one.pid for one in found] == [left.pid]
        parent.wait()


@each_platform
def test_a_zombie_is_not_alive(table: Table) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""], start_new_session=True)
    born = birth(process.pid)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert not table.alive(process.pid, table.created(process.pid) or born)
    assert table.census("", {process.pid}) == []
    process.wait()
    assert table.created(process.pid) is None
    assert not table.alive(process.pid, born)


@each_platform
def test_a_signal_reaches_only_the_process_that_was_meant(table: Table, tmp_path: Path) -> None:
    with marked(f"{M}-1", tmp_path / "r") as process:
        born = table.created(process.pid)
        assert born is not None
        assert not table.send(process.pid, born - 1, signal.SIGKILL)
        assert table.alive(process.pid, born)
        assert table.send(process.pid, born, signal.SIGKILL)
        process.wait()
        assert not table.send(process.pid, born, signal.SIGKILL)


def test_without_pidfds_a_signal_goes_by_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "pidfd_open", no_pidfd)
    with marked(f"{M}-1", tmp_path / "r") as process:
        born = birth(process.pid)
        assert not linux.send(process.pid, born - 1, signal.SIGKILL)
        assert linux.send(process.pid, born, signal.SIGKILL)
        process.wait()


def test_where_only_the_signal_by_pidfd_is_forbidden_it_goes_by_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(_pidfd: int, _number: int) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(signal, "pidfd_send_signal", forbidden)
    with marked(f"{M}-1", tmp_path / "r") as process:
        assert linux.send(process.pid, birth(process.pid), signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL


def test_a_name_with_blanks_and_brackets_confuses_nobody(tmp_path: Path) -> None:
    program = tmp_path / "a) Z (b"
    program.symlink_to("/bin/sleep")
    process = subprocess.Popen([program, "60"])
    try:
        wait_until(lambda: Path(f"/proc/{process.pid}/comm").read_text().startswith("a) Z"))
        assert linux.alive(process.pid, birth(process.pid))
        assert linux.parent_of(process.pid) == os.getpid()
    finally:
        process.kill()
        process.wait()


def test_a_process_whose_main_thread_has_ended_is_alive(tmp_path: Path) -> None:
    source = (
        "import ctypes, threading, time\n"
        "threading.Thread(target=time.sleep, args=(60,)).start()\n"
        "ctypes.CDLL(None).syscall(60, 0)\n"  # exit(2) of this thread only, on x86-64
    )
    if os.uname().machine != "x86_64":
        absent.skip("x86-64, whose number of exit(2) this is")
    process = subprocess.Popen([sys.executable, "-c", source])
    try:
        stat = Path(f"/proc/{process.pid}/stat")
        wait_until(lambda: stat.read_text().rpartition(")")[2].split()[0] == "Z")
        assert linux.alive(process.pid, birth(process.pid))
    finally:
        process.kill()
        process.wait()


def test_the_cause_of_a_death_can_be_read_until_it_is_reaped() -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    born = birth(process.pid)
    assert linux.status_of(process.pid, born) is None
    process.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert linux.status_of(process.pid, born) == signal.SIGKILL
    process.wait()
    assert linux.status_of(process.pid, born) is None


def no_pidfd(pid: int) -> int:
    raise OSError(38, "Function not implemented")


@pytest.mark.parametrize("blind", [False, True])
def test_an_end_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blind: bool) -> None:
    if blind:
        monkeypatch.setattr(os, "pidfd_open", no_pidfd)
    watch = ExitWatch()
    with marked(f"{M}-1", tmp_path / "r") as process:
        born = birth(process.pid)
        assert watch.add(process.pid, born)
        assert watch.wait(0, []) == (set(), set())
        threading.Timer(0.05, process.kill).start()
        wait_until(lambda: watch.wait(5, [])[0] == {process.pid})
        assert not watch.add(process.pid, born)
    watch.close()


@pytest.mark.skipif(sys.platform != "linux", reason="hidepid is Linux'")
@pytest.mark.parametrize("blind", [False, True])
def test_the_end_of_what_proc_does_not_show_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blind: bool
) -> None:
    if blind:
        monkeypatch.setattr(os, "pidfd_open", no_pidfd)
    watch = ExitWatch()
    with marked(f"{M}-1", tmp_path / "r") as process, monkeypatch.context() as patch:
        patch.setattr(linux, "_read", lambda path: b"")
        assert not table.alive(process.pid, 0.0)
        assert watch.add(process.pid, 0.0)
        assert watch.wait(0, []) == (set(), set())
        process.kill()
        process.wait()
        wait_until(lambda: watch.wait(5, [])[0] == {process.pid})
        assert not watch.add(process.pid, 0.0)
    watch.close()


def test_a_descriptor_that_can_be_read_is_noticed_as_well() -> None:
    watch = ExitWatch()
    read, write = os.pipe()
    assert watch.wait(0, [read]) == (set(), set())
    os.write(write, b"x")
    assert watch.wait(5, [read]) == (set(), {read})
    os.close(write)
    os.read(read, 1)
    assert watch.wait(5, [read]) == (set(), {read})
    os.close(read)
    watch.close()


def test_the_table_of_this_platform_is_the_one_in_use() -> None:
    assert table.created(os.getpid()) == PLATFORMS[0].created(os.getpid())
