from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from bundlevisor.actors.files import endpoint, instance, instance_lock
from bundlevisor.actors.ports import remembered

HOLDER = """
import os, sys, time
from bundlevisor.actors.files import instance, instance_lock
lock = instance_lock.take(sys.argv[1])
if sys.argv[2] != "silent":
    instance.write(sys.argv[1], instance.Instance(instance_id="first", pid=os.getpid(), created=1.0,
        host="127.0.0.1", port=47710, token_path="t", manifest="m", started_at=2.0))
print("held", flush=True)
sys.stdin.read()
"""


def record(instance_id: str = "one", pid: int = 4711) -> instance.Instance:
    service = instance.ServiceProcess(pid=5, created=6.5, instance="i")
    return instance.Instance(
        instance_id=instance_id,
        pid=pid,
        created=1.5,
        host="127.0.0.1",
        port=47710,
        token_path="/x/token",
        manifest="/x/bundle.json",
        started_at=2.5,
        services={"api": [service]},
    )


@contextmanager
def holder(app_data: Path, how: str = "record") -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(app_data), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert child.stdout
        assert child.stdout.readline().strip() == b"held"
        yield child
    finally:
        child.kill()
        child.communicate()


def test_a_second_instance_is_told_the_first_one_s_pid_and_port(tmp_path: Path) -> None:
    with holder(tmp_path) as first, pytest.raises(instance_lock.InstanceRunning) as refused:
        instance_lock.take(str(tmp_path))
    assert str(refused.value) == (
        f"another instance (pid {first.pid}, port 47710) runs on {tmp_path}"
    )


def test_the_record_of_a_dead_instance_is_not_taken_for_the_holder_s(tmp_path: Path) -> None:
    instance.write(str(tmp_path), record(pid=999_999))
    with holder(tmp_path, "silent") as first, pytest.raises(instance_lock.InstanceRunning) as e:
        instance_lock.take(str(tmp_path))
    assert str(e.value) == f"another instance (pid {first.pid}) runs on {tmp_path}"


def test_a_killed_instance_s_lock_is_free_at_once(tmp_path: Path) -> None:
    with holder(tmp_path) as first:
        first.kill()
        first.wait()
        lock = instance_lock.take(str(tmp_path))
    assert Path(instance_lock.lock_path(str(tmp_path))).read_text() == str(os.getpid())
    lock.release()


def test_who_takes_the_lock_knows_of_the_guardian_before_and_of_it_alone(tmp_path: Path) -> None:
    for say, guardian in (
        (lambda lock: lock.say_guarded(77, 12.25), (77, 12.25)),
        (lambda lock: lock.say_stopping(30), None),
        (lambda lock: os.write(lock.fd, b" said 77 12.25"), None),  # by another version
    ):
        lock = instance_lock.take(str(tmp_path))
        say(lock)
        lock.release()
        after = instance_lock.take(str(tmp_path))
        assert after.before.guardian == guardian
        assert after.before.pid == os.getpid()
        after.release()
        third = instance_lock.take(str(tmp_path))
        assert third.before.guardian == guardian, "the one before has had none of its own yet"
        third.release()


def test_a_released_lock_can_be_taken_again_and_its_file_stays(tmp_path: Path) -> None:
    first = instance_lock.take(str(tmp_path))
    first.release()
    first.release()
    second = instance_lock.take(str(tmp_path))
    assert Path(instance_lock.lock_path(str(tmp_path))).exists()
    second.release()


def test_a_spawned_program_does_not_keep_the_lock(tmp_path: Path) -> None:
    lock = instance_lock.take(str(tmp_path))
    child = subprocess.Popen(
        [sys.executable, "-c", "print('up', flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        close_fds=False,
    )
    try:
        assert child.stdout
        assert child.stdout.readline().strip() == b"up"
        os.close(lock.fd)
        lock.fd = -1
        instance_lock.take(str(tmp_path)).release()
    finally:
        child.communicate(b"\n")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps an open file")
def test_a_lock_on_a_file_that_was_replaced_is_not_taken_for_the_lock(tmp_path: Path) -> None:
    path = instance_lock.lock_path(str(tmp_path))
    first = instance_lock.take(str(tmp_path))
    opened = os.open(path, os.O_RDWR)
    os.unlink(path)
    second = instance_lock.take(str(tmp_path))
    assert not instance_lock._is_named(opened, path)
    assert instance_lock._is_named(second.fd, path)
    os.close(opened)
    first.release()
    second.release()


def test_a_folder_that_cannot_be_locked_is_a_sentence(tmp_path: Path) -> None:
    in_the_way = tmp_path / "app"
    in_the_way.write_text("a file")
    with pytest.raises(instance_lock.LockUnavailable, match=r"cannot lock .*local and writable"):
        instance_lock.take(str(in_the_way))


def test_a_record_comes_back_as_it_was_written(tmp_path: Path) -> None:
    assert instance.peek(str(tmp_path)) is None
    instance.write(str(tmp_path), record())
    assert instance.peek(str(tmp_path)) == record()


def test_a_torn_record_counts_as_none_and_is_left_alone(tmp_path: Path) -> None:
    instance.write(str(tmp_path), record())
    path = Path(instance.path(str(tmp_path)))
    path.write_bytes(path.read_bytes()[:-7])
    assert instance.peek(str(tmp_path)) is None
    assert path.exists()


def test_a_record_is_removed_only_by_its_own_instance(tmp_path: Path) -> None:
    instance.write(str(tmp_path), record("two"))
    instance.remove(str(tmp_path), "one")
    assert instance.peek(str(tmp_path)) == record("two")
    instance.remove(str(tmp_path), "two")
    assert instance.peek(str(tmp_path)) is None
    instance.remove(str(tmp_path), "two")


def test_tokens_are_43_url_safe_characters_and_never_alike() -> None:
    tokens = {endpoint.new_token() for _ in range(200)}
    assert len(tokens) == 200
    assert all(len(token) == 43 for token in tokens)
    assert set("".join(tokens)) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="modes mean nothing on Windows")
def test_the_token_is_never_readable_by_others_not_even_over_a_readable_file(
    tmp_path: Path,
) -> None:
    before = os.umask(0)
    try:
        path = tmp_path / "deep" / "runtime" / "auth-token"
        path.parent.mkdir(parents=True)
        path.write_text("old")
        path.chmod(0o666)
        reader = path.open()
        endpoint.write_token(str(path), "new-token")
        assert path.read_text() == "new-token"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with reader:
            assert reader.read() == "old"
    finally:
        os.umask(before)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
def test_a_link_in_the_token_s_place_is_replaced_and_not_written_through(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("kept")
    token = tmp_path / "token"
    token.symlink_to(elsewhere)
    endpoint.write_token(str(token), "secret")
    assert elsewhere.read_text() == "kept"
    assert not token.is_symlink()


def test_the_port_file_holds_digits_only_and_reads_back(tmp_path: Path) -> None:
    assert endpoint.read_port(str(tmp_path)) is None
    endpoint.write_port(str(tmp_path), 47710)
    path = Path(endpoint.port_path(str(tmp_path)))
    assert path == tmp_path / "runtime" / "ipc_port"
    assert path.read_bytes() == b"47710"
    assert endpoint.read_port(str(tmp_path)) == 47710
    path.write_bytes(b"99999")
    assert endpoint.read_port(str(tmp_path)) is None


def test_a_successor_s_port_file_is_not_removed(tmp_path: Path) -> None:
    endpoint.write_port(str(tmp_path), 47711)
    path = endpoint.port_path(str(tmp_path))
    endpoint.remove_if_ours(path, "47710")
    assert endpoint.read_port(str(tmp_path)) == 47711
    endpoint.remove_if_ours(path, "47711")
    assert not Path(path).exists()
    endpoint.remove_if_ours(path, "47711")


def test_remembered_ports_come_back_and_an_equal_file_is_not_written_again(tmp_path: Path) -> None:
    assert remembered.read(str(tmp_path)) == ({}, None)
    chosen = {"db": {"sql": 47001}, "api": {"http": 47000, "ws": 47002}}
    remembered.write(str(tmp_path), chosen)
    path = Path(remembered.path(str(tmp_path)))
    before = path.stat().st_ino
    remembered.write(str(tmp_path), dict(reversed(chosen.items())))
    assert path.stat().st_ino == before
    assert remembered.read(str(tmp_path)) == (chosen, None)


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b'{"a": {"b": "c"}}', b'{"a": {"b": 70000}}', b'{"a": {"b": 0}}']
)
def test_remembered_ports_that_make_no_sense_are_set_aside(tmp_path: Path, content: bytes) -> None:
    path = Path(remembered.path(str(tmp_path)))
    path.parent.mkdir()
    path.write_bytes(content)
    found, trouble = remembered.read(str(tmp_path))
    assert found == {}
    assert trouble is not None
    assert "ports.json.corrupt-" in trouble


def test_the_record_is_plain_json(tmp_path: Path) -> None:
    instance.write(str(tmp_path), record())
    plain = msgspec.json.decode(Path(instance.path(str(tmp_path))).read_bytes())
    assert plain["services"] == {"api": [{"pid": 5, "created": 6.5, "instance": "i"}]}
    assert plain["pid"] == 4711


def test_many_starters_at_once_get_one_lock(tmp_path: Path) -> None:
    program = (
        "import sys, time\n"
        "from bundlevisor.actors.files import instance_lock\n"
        "try:\n"
        "    lock = instance_lock.take(sys.argv[1])\n"
        "    print('took', flush=True)\n"
        "    sys.stdin.read()\n"
        "except instance_lock.InstanceRunning:\n"
        "    print('refused', flush=True)\n"
    )
    children = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]
    deadline = time.monotonic() + 30
    answers = []
    for child in children:
        assert child.stdout
        answers.append(child.stdout.readline().strip())
    assert time.monotonic() < deadline
    for child in children:
        child.communicate()
    assert sorted(answers) == ["refused"] * 5 + ["took"]
