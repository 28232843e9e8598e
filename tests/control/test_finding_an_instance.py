"""How the client finds the instance it asks, and what it says where there is none."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bundlevisor.actors.files import endpoint, instance
from bundlevisor.testing.ports import free_block
from tests.acceptor import Acceptor
from tests.control.commands import Cli, Run, record
from tests.control.wire import Api


def test_no_instance_is_4(run: Run, tmp_path: Path) -> None:
    code, out, err = run("status", "--app-data", str(tmp_path))
    assert (code, out) == (4, "")
    assert err.startswith(f"bundlevisor: no runtime runs on {tmp_path}")


@pytest.mark.parametrize("argv", [("ready",), ("start", "db"), ("stop", "db"), ("restart", "db")])
def test_who_waits_says_what_did_not_come_in_time(
    run: Run, tmp_path: Path, argv: tuple[str, ...]
) -> None:
    code, out, err = run(*argv, "--wait", "0.2", "--app-data", str(tmp_path))
    assert (code, out) == (4, "")
    assert err.startswith(f"bundlevisor: no runtime runs on {tmp_path}")
    assert err.endswith("; waited 0.2 s for it\n")


def test_who_waits_for_what_ended_before_gives_up_when_no_start_follows(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bundlevisor.control.cli.await_instance.NEXT_START_S", 0.0)
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    (runtime / "last_end.json").write_text('{"pid": 7, "code": 1, "reason": "no", "ended_at": 1}')
    code, _, err = run("ready", "--wait", "600", "--app-data", str(tmp_path))
    assert code == 4
    assert err.endswith("ago with exit code 1: no\n")


def test_an_end_that_is_still_to_come_was_before_the_clock_was_set_back(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "runtime").mkdir()
    end = '{"pid": 7, "code": 1, "reason": "no", "ended_at": 1e11}'
    (tmp_path / "runtime" / "last_end.json").write_text(end)
    code, _, err = run("ready", "--wait", "0.2", "--app-data", str(tmp_path))
    assert code == 4
    assert err.endswith("(pid 7) ended with exit code 1: no; waited 0.2 s for it\n")


def test_who_waits_for_what_was_killed_gives_up_when_no_start_follows(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bundlevisor.control.cli.await_instance.NEXT_START_S", 0.0)
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    (tmp_path / "runtime").mkdir()
    (tmp_path / "runtime" / "lock").write_text(str(process.pid))
    code, _, err = run("ready", "--wait", "600", "--app-data", str(tmp_path))
    assert code == 4
    assert err.endswith(f"; the last one (pid {process.pid}) was killed, or died\n")


def test_who_waits_for_a_folder_that_no_start_makes_is_told_why(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start that is refused makes none: the bundle says what it would be told."""
    monkeypatch.setattr("bundlevisor.control.cli.await_instance.NEXT_START_S", 0.0)
    monkeypatch.setattr("bundlevisor.control.cli.await_instance.SAY_AFTER_S", 0.0)
    manifest, nowhere = tmp_path / "bundle.json", tmp_path / "data"
    where = ("--app-data", str(nowhere), "--manifest", str(manifest))
    code, _, said = run("ready", "--wait", "0.2", *where)
    assert (code, said.endswith("; waited 0.2 s for it\n")) == (4, True)
    assert f"waiting for a runtime on {nowhere}, which no start has made yet\n" in said
    manifest.write_text("{")
    code, _, said = run("ready", "--wait", "600", *where)
    assert code == 4
    assert f"; a start is refused: {manifest}: the file ends too early" in said
    assert not nowhere.exists()


def test_a_stop_does_not_wait_for_a_beginning(run: Run, tmp_path: Path) -> None:
    code, _, err = run("shutdown", "--wait", "600", "--app-data", str(tmp_path))
    assert (code, "waited" in err) == (4, False)


class Fulfils:
    """Replaces the pauses of a wait: the first ones do what the test has put in their place."""

    def __init__(self, *acts: Callable[[], object]) -> None:
        self._acts = list(acts)

    def __call__(self, _seconds: float) -> None:
        if self._acts:
            self._acts.pop(0)()


def test_who_waits_meets_an_instance_that_is_being_started(
    run: Run, tmp_path: Path, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = str(tmp_path / "runtime" / "auth-token")
    other = tmp_path.with_name(f"{tmp_path.name}-copied")
    record(other, api.port)
    acts = Fulfils(
        lambda: record(tmp_path, free_block(1), os.getpid()),  # of a dead one: nobody listens
        lambda: shutil.copy(instance.path(str(other)), instance.path(str(tmp_path))),
        lambda: record(tmp_path, api.port),
        lambda: endpoint.write_token(token, "of the dead one"),
        lambda: os.unlink(token),
        lambda: record(tmp_path, api.port),
    )
    monkeypatch.setattr("bundlevisor.control.cli.await_instance.sleep", acts)
    assert run("ready", "--wait", "60", "--app-data", str(tmp_path))[:2] == (
        0,
        "ready: 3 services\n",
    )


def test_an_instance_that_died_is_4_with_its_word(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its record may stay for a moment, until its guardian has removed it."""
    monkeypatch.setattr("bundlevisor.control.cli.await_instance.NEXT_START_S", 0.0)
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    with socket.socket() as nobodys:
        nobodys.bind(("127.0.0.1", 0))
        port = nobodys.getsockname()[1]
        record(tmp_path, port, process.pid)
        code, _, err = run("ports", "--app-data", str(tmp_path))
        assert code == 4
        assert err.endswith(f"nobody listens on port {port} any more\n")
        end = f'{{"pid": {process.pid}, "code": 1, "reason": "no threads", "ended_at": 1}}'
        (tmp_path / "runtime" / "last_end.json").write_text(end)
        code, _, err = run("ready", "--wait", "5", "--app-data", str(tmp_path))
    assert code == 4
    assert f"any more; the last one (pid {process.pid}) ended " in err
    assert err.endswith("ago with exit code 1: no threads\n")


def test_an_instance_that_takes_no_connections_is_5(run: Run, tmp_path: Path) -> None:
    with socket.socket() as nobodys:
        nobodys.bind(("127.0.0.1", 0))
        record(tmp_path, nobodys.getsockname()[1], os.getpid())
        code, _, err = run("ports", "--app-data", str(tmp_path))
    assert code == 5
    assert f"pid {os.getpid()}" in err


def test_an_instance_whose_pid_is_somebody_elses_by_now_is_4(run: Run, tmp_path: Path) -> None:
    with socket.socket() as nobodys:
        nobodys.bind(("127.0.0.1", 0))
        record(tmp_path, nobodys.getsockname()[1], os.getpid(), created=1.0)
        code, _, err = run("ports", "--app-data", str(tmp_path))
    assert code == 4
    assert err.startswith(f"bundlevisor: no runtime runs on {tmp_path}")


@pytest.fixture
def mute() -> Iterator[int]:
    """A port on which whoever asks is cut off."""

    def cut_off(client: socket.socket) -> None:
        with client:
            client.recv(10)

    with closing(Acceptor(cut_off)) as acceptor:
        yield acceptor.port


def test_an_instance_that_does_not_answer_is_5(run: Run, tmp_path: Path, mute: int) -> None:
    record(tmp_path, mute)
    code, out, err = run("status", "--app-data", str(tmp_path))
    assert (code, out) == (5, "")
    assert "did not answer" in err


@pytest.mark.parametrize("words", [("ports",), ("logs", "db", "-f"), ("logs", "-f")])
def test_a_refused_token_is_5(cli: Cli, words: tuple[str, ...]) -> None:
    endpoint.write_token(str(cli.app_data / "runtime" / "auth-token"), "another")
    code, _, err = cli(*words)
    assert code == 5
    assert "refused the token in" in err
    assert "another program" in err


def test_an_instance_is_found_by_its_port_file_alone(cli: Cli) -> None:
    os.unlink(instance.path(str(cli.app_data)))
    assert cli("health")[0] == 0


@pytest.mark.parametrize("host", ["192.0.2.1", "example.org", ""])
def test_nothing_is_sent_to_another_machine(run: Run, tmp_path: Path, host: str) -> None:
    record(tmp_path, 1)
    planted = json.loads(Path(instance.path(str(tmp_path))).read_bytes()) | {"host": host}
    Path(instance.path(str(tmp_path))).write_text(json.dumps(planted))
    code, _, err = run("ports", "--app-data", str(tmp_path))
    assert code == 4
    assert f"names '{host}', which is no address of this machine" in err


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
@pytest.mark.parametrize("how", ["named", "linked", "linked without a record"])
def test_no_file_from_elsewhere_is_sent_as_the_token(run: Run, tmp_path: Path, how: str) -> None:
    """As another user could have it, who listens at the port that he names."""
    file, app_data = tmp_path / "a-key-of-ours", tmp_path / "data"
    record(app_data, 1)
    record_path = Path(instance.path(str(app_data)))
    token = app_data / "runtime" / "auth-token"
    token.rename(file)
    if how == "named":
        planted = json.loads(record_path.read_bytes()) | {"token_path": str(file)}
        record_path.write_text(json.dumps(planted))
    else:
        token.symlink_to(file)
    if how == "linked without a record":
        record_path.unlink()
    code, _, err = run("ports", "--app-data", str(app_data))
    assert code == 4
    assert f"is not in {app_data}: it is not read" in err


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
def test_a_folder_may_have_a_second_name(
    run: Run, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(cli.app_data)
    assert run("health", "--app-data", str(tmp_path / "link"))[0] == 0
    monkeypatch.setattr(os.path, "realpath", os.path.abspath)  # as of mounts, and of case on macOS
    assert run("health", "--app-data", str(tmp_path / "link"))[0] == 0


@pytest.mark.permissions
@pytest.mark.skipif(sys.platform == "win32", reason="permissions are POSIX'")
def test_a_record_that_must_not_be_read_is_no_sign_that_nothing_runs(
    run: Run, tmp_path: Path
) -> None:
    record(tmp_path, 1)
    os.chmod(tmp_path / "runtime", 0)
    try:
        asked = [
            run("ready", *wait, "--app-data", str(tmp_path)) for wait in ((), ("--wait", "600"))
        ]
    finally:
        os.chmod(tmp_path / "runtime", 0o700)
    for code, _, err in asked:
        assert code == 4
        assert "runtime/instance.json: Permission denied; is this instance another user's?" in err
        assert "no runtime runs" not in err


def test_who_asks_an_instance_as_it_dies_does_not_wait_for_another(
    run: Run, tmp_path: Path, mute: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    record(tmp_path, mute, process.pid)
    acts = Fulfils(
        lambda: None,  # it may be the record of one that died long ago
        lambda: shutil.rmtree(tmp_path / "runtime"),
    )
    monkeypatch.setattr("bundlevisor.control.cli.await_instance.sleep", acts)
    code, _, err = run("ready", "--wait", "600", "--app-data", str(tmp_path))
    assert code == 4
    assert f"the instance has ended without a word (pid {process.pid})" in err
