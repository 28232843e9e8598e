"""What a guardian does when a part of its work cannot be done."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from bundlevisor.actors.guardian import cleanup, guard, http_stop, survivors, system
from bundlevisor.actors.guardian.cleanup import EXPECTING, Cleanup
from bundlevisor.actors.guardian.disk import Disk
from bundlevisor.actors.guardian.guarded import GuardedProcess
from bundlevisor.actors.guardian.state import GuardianState
from bundlevisor.actors.probes.stop_exchange import request
from tests.guardian.marked import marked
from tests.records import read_records

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bundlevisor.actors.guardian.survivors import Survivors
    from bundlevisor.actors.loop.working_time import WorkingTime
    from bundlevisor.actors.process.table.exit_status import ExitStatus
    from bundlevisor.actors.process.table.found import Found

GONE = f"gone{os.urandom(4).hex()}"


@pytest.fixture
def state(tmp_path: Path) -> GuardianState:
    """Of a dead runtime with a token and a record."""
    state = GuardianState()
    state.apply(("hello", GONE, 1, -1.0))
    state.apply(("telemetry", str(tmp_path / "telemetry.jsonl")))
    for name in ("token", "record"):
        (tmp_path / name).write_text(GONE)
        state.apply(("own", str(tmp_path / name), None, GONE.encode(), name == "record"))
    return state


class Stuck(Cleanup):
    """A process could not be ended: another user's, or in the middle of a system call."""

    def run(self) -> None:
        self.left = 1


def test_while_a_process_is_left_the_record_is_kept_for_the_sweep(
    tmp_path: Path, state: GuardianState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "Cleanup", Stuck)
    guard.clean_up(state, lambda: None)
    assert not (tmp_path / "token").exists()
    assert (tmp_path / "record").exists()
    assert read_records(tmp_path / "telemetry.jsonl")[0]["details"]["left"] == 1


def test_a_fault_of_ours_leaves_nothing_either(tmp_path: Path, state: GuardianState) -> None:
    state.inflight = 10_000_000
    with marked(f"{GONE}-1", tmp_path / "r") as process:
        state.apply(("expect", GuardedProcess("api", f"{GONE}-1").fields()))
        guard.clean_up(state, lambda: None)
        assert process.wait() == -signal.SIGKILL
    assert not (tmp_path / "record").exists()
    assert "Bad file" in read_records(tmp_path / "telemetry.jsonl")[0]["details"]["error"]


@contextlib.contextmanager
def no_descriptors(lowest: int) -> Iterator[None]:
    """Nothing can be opened that would get a descriptor from this number on."""
    import resource  # POSIX alone has it

    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no file is opened to see a process")
def test_without_any_descriptor_no_secret_is_left_and_the_next_start_is_told(
    tmp_path: Path, state: GuardianState
) -> None:
    (tmp_path / "secret").write_text("top")
    state.apply(("own", str(tmp_path / "secret"), None, b"top", True))
    with no_descriptors(3), pytest.raises(OSError, match=os.strerror(errno.EMFILE)):
        guard.clean_up(state, lambda: None)
    assert not (tmp_path / "secret").exists()
    assert (tmp_path / "record").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no file is opened to see a process")
def test_who_has_no_descriptor_left_lets_go_of_the_logs_to_end_the_services(
    tmp_path: Path, state: GuardianState
) -> None:
    with marked(f"{GONE}-1", tmp_path / "r") as process:
        state.apply(("expect", GuardedProcess("api", f"{GONE}-1").fields()))
        pipes = [os.open(os.devnull, os.O_RDONLY) for _ in range(8)]
        for number, pipe in enumerate(pipes, 2):
            logged = GuardedProcess("api", f"{GONE}-{number}").fields()
            state.apply(("expect", logged), pipe)
        with no_descriptors(max(pipes) + 1):
            fill = []
            with contextlib.suppress(OSError):
                while True:
                    fill.append(os.open(os.devnull, os.O_RDONLY))
            guard.clean_up(state, lambda: None)
            for fd in fill:
                os.close(fd)
        assert process.wait() == -signal.SIGKILL
    assert not (tmp_path / "record").exists()
    assert read_records(tmp_path / "telemetry.jsonl")[0]["event"] == "runtime_died"


def test_who_may_not_be_touched_is_tried_once_left_alone_and_counted(
    tmp_path: Path, state: GuardianState, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a program with another user's rights."""
    with (
        marked(f"{GONE}-1", tmp_path / "theirs") as theirs,
        marked(f"{GONE}-2", tmp_path / "ours") as ours,
    ):
        tried: list[int] = []
        ask = system.ask

        def refused(process: Found, number: int) -> bool:
            tried.append(process.pid)
            if process.pid == theirs.pid:
                raise PermissionError
            return ask(process, number)

        monkeypatch.setattr(system, "ask", refused)
        monkeypatch.setattr(system, "kill", lambda process: refused(process, signal.SIGKILL))
        for number, service in enumerate(("theirs", "ours"), 1):
            guarded = GuardedProcess(service, f"{GONE}-{number}", grace_s=20.0)
            state.apply(("expect", guarded.fields()))
        done = Cleanup(state, Disk())
        done.run()
        assert ours.wait() == 0
        assert sorted(tried) == sorted([theirs.pid, ours.pid])
        assert (done.left, theirs.poll()) == (1, None)


class Clock:
    """The patience for what is announced ends between two looks at it."""

    def __init__(self, cleanup: Cleanup) -> None:
        cleanup._began, cleanup._until = 0.0, 20.0
        self._now = EXPECTING - 0.01
        self._looks = 0

    def now(self) -> float:
        self._looks += 1
        assert self._looks < 20, "it waits for nobody"
        self._now += 0.01 * (self._looks > 1)
        return self._now


def test_when_what_was_announced_does_not_come_nobody_is_waited_for(state: GuardianState) -> None:
    state.apply(("expect", GuardedProcess("api", f"{GONE}-1", grace_s=20.0).fields()))
    cleanup = Cleanup(state, Disk())
    cleanup._clock = cast("WorkingTime", Clock(cleanup))
    cleanup.run()
    assert cleanup.left == 0


def test_those_in_reserve_are_woken_while_the_record_is_there(
    tmp_path: Path, state: GuardianState
) -> None:
    """By it the next start finds one that stands still, when this one is killed before its end."""
    there: list[set[str]] = []
    guard.clean_up(state, lambda: there.append({path.name for path in tmp_path.iterdir()}))
    assert ["record" in names for names in there] == [True, True]
    assert not (tmp_path / "record").exists()


def test_nothing_to_do_is_done_at_once(tmp_path: Path, state: GuardianState) -> None:
    guard.clean_up(state, lambda: None)
    assert not (tmp_path / "record").exists()
    (line,) = read_records(tmp_path / "telemetry.jsonl")
    assert (line["event"], line["details"]["found"]) == ("runtime_died", 0)


def test_a_death_that_cannot_be_published_is_told_to_the_systems_log(
    tmp_path: Path, state: GuardianState, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(system, "tell_system_log", said.append)
    state.telemetry = str(tmp_path)
    guard.clean_up(state, lambda: None)
    (line,) = said
    assert "the runtime died" in line
    assert str(tmp_path) in line


class End:
    """The guardian's end of a channel, which is closed already."""

    def fileno(self) -> int:
        raise OSError("no channel")


def test_a_fault_that_ends_the_guardian_is_told_to_the_systems_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []
    codes: list[int] = []
    monkeypatch.setattr(system, "tell_system_log", said.append)
    monkeypatch.setattr(os, "_exit", codes.append)
    monkeypatch.setattr(gc, "disable", lambda: None)
    guard.guard(cast("socket.socket", End()))
    assert codes == [0]
    (line,) = said
    assert "guardian" in line
    assert "OSError: no channel" in line


@pytest.mark.parametrize("why", [OSError("no status"), ModuleNotFoundError("fcntl")])
def test_a_death_whose_cause_cannot_be_read_is_cleaned_up_after(
    tmp_path: Path, state: GuardianState, why: Exception
) -> None:
    """The program's files may have been removed."""

    class Unreadable:
        def read(self) -> int:
            raise why

    state.exit_status = cast("ExitStatus", Unreadable())
    with marked(f"{GONE}-1", tmp_path / "r") as process:
        state.apply(("expect", GuardedProcess("api", f"{GONE}-1").fields()))
        guard.clean_up(state, lambda: None)
        assert process.wait() == 0
    assert not (tmp_path / "record").exists()
    assert read_records(tmp_path / "telemetry.jsonl")[0]["event"] == "runtime_died"


def test_services_are_stopped_with_their_grace_although_our_files_are_gone(
    tmp_path: Path, state: GuardianState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "bundlevisor.actors.guardian.relay", None)
    state.inflight = 10_000_000
    with marked(f"{GONE}-1", tmp_path / "r") as process:
        state.apply(("expect", GuardedProcess("api", f"{GONE}-1").fields()))
        guard.clean_up(state, lambda: None)
        assert process.wait() == 0
    assert not (tmp_path / "record").exists()


def test_an_answer_that_is_overdue_of_who_has_gone_is_not_waited_for_without_a_pause(
    tmp_path: Path, state: GuardianState, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its port is another's, which holds the connection: nothing there is looked at any more."""
    looks: list[object] = []

    def look(*known: Any) -> Survivors:
        looks.append(known)
        return survivors.look(*known)

    def asked_in_vain(port: int, path: str) -> bytes:
        api.kill()
        api.wait()
        return request(port, path)

    monkeypatch.setattr(cleanup, "look", look)
    monkeypatch.setattr(http_stop, "request", asked_in_vain)
    monkeypatch.setattr(http_stop, "PATIENCE", 0.1)
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        marked(f"{GONE}-1", tmp_path / "api") as api,
        marked(f"{GONE}-2", tmp_path / "deaf", "ignores_term") as deaf,
    ):
        address = (int(other.getsockname()[1]), "/stop")
        first, second = f"{GONE}-1", f"{GONE}-2"
        state.apply(("expect", GuardedProcess("api", first, grace_s=9.0, http=address).fields()))
        state.apply(("expect", GuardedProcess("deaf", second, grace_s=1.0).fields()))
        done = Cleanup(state, Disk())
        done.run()
        assert (api.wait(), deaf.wait()) == (-signal.SIGKILL, -signal.SIGKILL)
    assert len(looks) < 100
