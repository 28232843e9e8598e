from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import msgspec
import pytest

from bundlevisor.actors.files.instance import Processes
from bundlevisor.actors.process import table
from bundlevisor.actors.process.sweep import PATIENCE_S, Remains, Swept, _wait_for, sweep
from bundlevisor.actors.process.table import control_group
from bundlevisor.actors.process.table.found import GUARDIAN_S
from tests.guardian.marked import birth, marked
from tests.guardian.small_runtime import SmallRuntime, service
from tests.records import events, read_records
from tests.waiting import wait_until

OLD = f"old{os.urandom(4).hex()}"
"""The id of the earlier instance: nobody else's processes carry it."""


def record(app_data: Path, *services: tuple[int, float, str], **fields: object) -> None:
    """Write the record that an instance OLD left behind."""
    (app_data / "runtime").mkdir(exist_ok=True)
    content: dict[str, Any] = {
        "instance_id": OLD,
        "pid": 1,
        "created": -1.0,
        "services": {
            f"s{i}": [{"pid": pid, "created": born, "instance": mark}]
            for i, (pid, born, mark) in enumerate(services)
        },
    }
    (app_data / "runtime" / "instance.json").write_text(json.dumps(content | fields))


def swept(app_data: Path, **fields: Any) -> Swept:
    result = sweep(str(app_data), **fields)
    assert result is not None
    return result


def test_without_a_record_nothing_is_done(tmp_path: Path) -> None:
    assert sweep(str(tmp_path)) is None


def test_a_torn_record_is_set_aside_and_nothing_is_done(tmp_path: Path) -> None:
    (tmp_path / "runtime").mkdir()
    (tmp_path / "runtime" / "instance.json").write_text('{"instance_id": "ol')
    assert sweep(str(tmp_path)) is None
    assert not (tmp_path / "runtime" / "instance.json").exists()


def test_what_is_left_is_asked_first_and_then_killed(tmp_path: Path) -> None:
    with (
        marked(f"{OLD}-1", tmp_path / "good") as good,
        marked(f"{OLD}-2", tmp_path / "deaf", "ignores_term") as deaf,
    ):
        record(tmp_path, (good.pid, birth(good.pid), f"{OLD}-1"))
        result = swept(tmp_path, grace_s=4)
        assert (result.found, result.stopped, result.killed) == (2, 1, 1)
        assert good.wait() == 0
        assert deaf.wait() == -signal.SIGKILL
        assert result.instance_id == OLD


@pytest.mark.parametrize("enclosed", [False, True], ids=["no group", "in a control group"])
def test_a_leader_is_asked_before_what_it_has_forked(
    enclosed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with marked(f"{OLD}-1", tmp_path / "r", "preforks") as leader:
        wait_until(lambda: len(events(read_records(tmp_path / "r"), "started")) == 2)
        group = f"/nowhere/{control_group.PREFIX}{OLD}" if enclosed else ""
        both = [one["pid"] for one in events(read_records(tmp_path / "r"), "started")]
        monkeypatch.setattr(control_group, "members", lambda path: both if path else [])
        record(tmp_path, (leader.pid, birth(leader.pid), f"{OLD}-1"), group=group)
        result = swept(tmp_path, grace_s=10)
        assert (result.found, result.stopped, result.killed) == (2, 2, 0)
        assert leader.wait() == 0
        seen = {one["pid"]: one["signal"] for one in events(read_records(tmp_path / "r"), "signal")}
        assert seen.pop(leader.pid) == signal.SIGTERM
        assert list(seen.values()) == [signal.SIGUSR1]


def test_a_leader_that_has_cleared_its_environment_is_ended_by_its_control_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with marked("", tmp_path / "r") as leader:
        monkeypatch.setattr(control_group, "members", lambda path: [leader.pid] if path else [])
        group = f"/nowhere/{control_group.PREFIX}{OLD}"
        record(tmp_path, (leader.pid, birth(leader.pid), f"{OLD}-1"), group=group)
        result = swept(tmp_path, grace_s=10)
        assert (result.found, result.stopped, result.killed) == (1, 1, 0)
        assert leader.wait() == 0


def test_what_left_its_session_is_asked_after_its_leader(tmp_path: Path) -> None:
    with marked(f"{OLD}-1", tmp_path / "lead") as leader, marked(f"{OLD}-1", tmp_path / "r") as it:
        record(tmp_path, (leader.pid, birth(leader.pid), f"{OLD}-1"))
        left = (tmp_path / "runtime" / "instance.json").read_bytes()
        remains = Remains(msgspec.json.decode(left, type=Processes))
        assert [one.pid for one in remains.addressed(remains.look())] == [leader.pid]
        leader.kill()
        leader.wait()
        assert [one.pid for one in remains.addressed(remains.look())] == [it.pid]


def test_what_left_its_session_or_came_out_of_a_dead_leader_is_found(tmp_path: Path) -> None:
    rest = ("--deaf", "1", "--leave", "1")
    with marked(f"{OLD}-1", tmp_path / "r", "double_fork", *rest) as leader:
        wait_until(lambda: len(events(read_records(tmp_path / "r"), "started")) == 2)
        assert leader.wait() == 0
        daemon = events(read_records(tmp_path / "r"), "started")[1]["pid"]
        born = birth(daemon)
        record(tmp_path)
        assert swept(tmp_path, grace_s=0.2).killed == 1
        assert not table.alive(daemon, born)


def test_a_child_without_the_mark_goes_with_its_session(tmp_path: Path) -> None:
    """It has cleared its environment, but sits in the session of a marked process on record."""
    source = (
        "import os, subprocess, sys, time\n"
        'script = \'trap "" TERM; : > "$0"; exec sleep 60\'\n'
        "subprocess.Popen(['/bin/sh', '-c', script, sys.argv[1]], env={})\n"
        "time.sleep(60)\n"
    )
    leader = subprocess.Popen(
        [sys.executable, "-c", source, str(tmp_path / "there")],
        env=os.environ | {"SERVICE_INSTANCE_ID": f"{OLD}-1"},
        start_new_session=True,
    )
    wait_until((tmp_path / "there").exists)
    record(tmp_path, (leader.pid, birth(leader.pid), f"{OLD}-1"))
    result = swept(tmp_path, grace_s=3)
    assert (result.found, result.killed) == (2, 1)
    assert table.census("", {leader.pid}) == []
    leader.wait()


@pytest.mark.parametrize(
    "mark",
    [f"{OLD}er-1", f"{OLD[:-1]}-1", "", f"new{OLD}-1"],
    ids=["longer", "shorter", "none", "ends with it"],
)
def test_a_process_of_somebody_else_is_left_alone_even_with_pid_and_time_of_ours(
    tmp_path: Path, mark: str
) -> None:
    with marked(mark, tmp_path / "r") as process:
        record(tmp_path, (process.pid, birth(process.pid), f"{OLD}-1"))
        assert swept(tmp_path).found == 0
        assert process.poll() is None


def test_a_runtime_that_lives_is_left_alone(tmp_path: Path) -> None:
    with marked(f"{OLD}-1", tmp_path / "r") as process:
        record(tmp_path, pid=os.getpid(), created=birth(os.getpid()))
        assert sweep(str(tmp_path)) is None
        assert process.poll() is None


def test_what_a_service_of_the_old_instance_started_us_from_is_left_alone(tmp_path: Path) -> None:
    """An updater that ran as a service starts the application anew: we carry its mark ourselves."""
    source = (
        "import os, subprocess, sys\n"
        "child = subprocess.Popen(['/bin/sleep', '60'], start_new_session=True)\n"
        "from bundlevisor.actors.process.sweep import sweep\n"
        "print(sweep(sys.argv[1]).found, child.poll())\n"
        "child.kill()\n"
        "child.wait()\n"
    )
    record(tmp_path)
    env = os.environ | {"SERVICE_INSTANCE_ID": f"{OLD}-1", "PYTHONPATH": os.getcwd()}
    shell = f'"{sys.executable}" -c "$SOURCE" "{tmp_path}"; echo alive'
    out = subprocess.run(
        ["/bin/sh", "-c", shell], env=env | {"SOURCE": source}, capture_output=True, check=False
    )
    assert out.stdout.decode().split() == ["0", "None", "alive"], out.stderr.decode()


def test_a_guardian_at_work_is_waited_for(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    slow = service("api", "stops_slowly", options={"stop-until": str(heard)}, grace_s=20)
    with SmallRuntime(tmp_path / "h", slow) as small:
        small.wait_started()
        record(
            tmp_path,
            instance_id=small.instance,
            guardian_pid=small.guardian,
            guardian_created=small.guardian_born,
        )
        small.kill()
        said: list[str] = []

        def announce(text: str) -> None:
            said.append(text)
            heard.touch()

        result = swept(tmp_path, announce=announce, grace_s=0.0)
        assert result.found == 0
        assert small.record("api")[-1]["event"] == "exit"
        assert said == [
            f"waiting for the guardian of an earlier instance (pid {small.guardian}) to stop it"
        ]


def test_a_guardian_has_the_time_that_it_gives_the_services() -> None:
    assert PATIENCE_S > GUARDIAN_S


def test_time_in_which_the_start_was_held_up_is_none_of_the_guardians(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A container that was paused, Windows asleep: the guardian has not worked meanwhile either."""
    clock, looks = [0.0], iter(range(3))
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    watch = Mock()
    watch.add.side_effect = lambda *_: next(looks, None) is not None
    watch.wait.side_effect = lambda *_: clock.__setitem__(0, clock[0] + 3600)
    _wait_for(watch, [(0, 0.0), (os.getpid(), -1.0)], Mock(), PATIENCE_S)
    assert watch.wait.call_count == 2, "it was given up as soon as the start went on"


def test_a_guardian_that_stands_still_is_woken(tmp_path: Path) -> None:
    with SmallRuntime(tmp_path / "h", service("api")) as small:
        small.wait_started()
        record(
            tmp_path,
            instance_id=small.instance,
            guardian_pid=small.guardian,
            guardian_created=small.guardian_born,
        )
        os.kill(small.guardian, signal.SIGSTOP)
        small.kill()
        assert swept(tmp_path, grace_s=0.0, guardian_s=30.0).found == 0
        assert small.record("api")[-1]["event"] == "exit"
        small.wait_clean()


def test_a_guardian_that_takes_too_long_is_not_waited_for(tmp_path: Path) -> None:
    with SmallRuntime(tmp_path / "h", service("job", "ignores_term", grace_s=20)) as small:
        small.wait_started()
        record(
            tmp_path,
            instance_id=small.instance,
            guardian_pid=small.guardian,
            guardian_created=small.guardian_born,
        )
        small.kill()
        assert swept(tmp_path, grace_s=0.1, guardian_s=0.1).killed == 1
        small.wait_clean()


def test_both_killed_at_once_and_the_next_start_ends_what_they_left(tmp_path: Path) -> None:
    services = [service("api"), service("job", "ignores_term")]
    with SmallRuntime(tmp_path / "h", *services) as small:
        small.wait_started()
        os.kill(small.process.pid, signal.SIGSTOP)
        os.kill(small.guardian, signal.SIGKILL)
        small.kill()
        assert len(small.leftovers()) == 4
        record(tmp_path, instance_id=small.instance)
        assert swept(tmp_path, grace_s=0.2).found == 2
        assert small.leftovers() == []


def test_what_is_born_while_it_sweeps_is_ended_too(tmp_path: Path) -> None:
    """A process that starts another one for as long as it lives, and is deaf."""
    source = (
        "import signal, subprocess, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "while True:\n"
        "    subprocess.Popen(['/bin/sleep', '60'], start_new_session=True)\n"
        "    time.sleep(0.01)\n"
    )
    breeder = subprocess.Popen(
        [sys.executable, "-c", source], env=os.environ | {"SERVICE_INSTANCE_ID": f"{OLD}-1"}
    )
    try:
        wait_until(lambda: len(table.census(OLD)) > 5)
        record(tmp_path)
        result = swept(tmp_path, grace_s=0.3)
        assert result.found == result.stopped + result.killed
        assert table.census(OLD) == []
    finally:
        breeder.kill()
        breeder.wait()
